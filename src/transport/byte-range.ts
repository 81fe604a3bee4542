import type { ByteRange } from '../storage/blob-storage.ts'

/** WHOLE: no range was asked for, or in a form that RFC 9110 tells us to ignore. */
export type RangeAnswer = { readonly kind: 'WHOLE' | 'UNSATISFIABLE' } | ({ readonly kind: 'PART' } & ByteRange)

const WHOLE = { kind: 'WHOLE' } as const
const UNSATISFIABLE = { kind: 'UNSATISFIABLE' } as const
const SPEC = /^(?:(?<first>\d+)-(?<last>\d*)|-(?<suffix>\d+))$/

/** Reads a Range header for a body of `sizeBytes`. Several ranges at once are never served: pictures need one. */
export function readByteRange(header: string | undefined, sizeBytes: number): RangeAnswer {
  const list = /^bytes=(.+)$/i.exec(header ?? '')?.[1]
  if (list === undefined) return WHOLE
  const ranges = list.split(',').map((spec) => readSpec(spec.trim(), sizeBytes))
  const [only = WHOLE, ...others] = ranges
  if (ranges.some((range) => range.kind === 'WHOLE')) return WHOLE
  return others.length > 0 ? UNSATISFIABLE : only
}

/** WHOLE for what is no range. */
function readSpec(spec: string, sizeBytes: number): RangeAnswer {
  const groups = SPEC.exec(spec)?.groups
  if (!groups) return WHOLE
  const { first, last, suffix } = groups
  if (suffix !== undefined) {
    const lengthBytes = Math.min(Number(suffix), sizeBytes)
    return lengthBytes === 0 ? UNSATISFIABLE : { kind: 'PART', start: sizeBytes - lengthBytes, end: sizeBytes - 1 }
  }
  const start = Number(first)
  const end = last ? Number(last) : Number.POSITIVE_INFINITY
  if (end < start) return WHOLE
  return start >= sizeBytes ? UNSATISFIABLE : { kind: 'PART', start, end: Math.min(end, sizeBytes - 1) }
}
