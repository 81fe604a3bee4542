import type { ProviderErrorKind } from '../provider-error.ts'
import { createInvalidRequest, FAILURE_KINDS, STAGES, type Stage } from './sandbox-failures.ts'

type Values = {
  readonly delay: number
  readonly steps: number
  readonly fail: ProviderErrorKind
  readonly at: Stage
  readonly times: number
  readonly 'retry-after': number
  readonly images: number
  readonly 'fail-image': readonly number[]
  readonly hang: true
  readonly broken: 'cut' | 'page'
  readonly unknown: true
  readonly sync: true
  readonly revise: string
}

export type DirectiveName = keyof Values

/** `expected` completes "… takes"; `read` answers undefined for what it does not take. null is no value at all. */
type Reader<Value> = { readonly expected: string; read(value: string | null): Value | undefined }

const HOUR_MS = 3_600_000

const READERS: { readonly [Name in DirectiveName]: Reader<Values[Name]> } = {
  delay: integer(0, HOUR_MS, 'milliseconds'),
  steps: integer(1, 100, 'steps'),
  fail: {
    expected: `one of ${FAILURE_KINDS.map((kind) => kind.toLowerCase()).join(', ')}`,
    read: (value) => FAILURE_KINDS.find((kind) => kind.toLowerCase() === value?.toLowerCase()),
  },
  at: {
    expected: `one of ${STAGES.join(', ')}`,
    read: (value) => STAGES.find((stage) => stage === value?.toLowerCase()),
  },
  times: integer(1, 100, 'attempts'),
  'retry-after': integer(0, HOUR_MS, 'milliseconds'),
  images: integer(0, 10, 'images'),
  'fail-image': {
    expected: 'indexes of images from 0, such as 1 or 0,2',
    read: (value) => (value !== null && /^\d{1,2}(,\d{1,2})*$/.test(value) ? value.split(',').map(Number) : undefined),
  },
  hang: flag(),
  broken: {
    expected: 'no value, "cut" or "page"',
    read: (value) => (value === null || value === 'cut' ? 'cut' : value === 'page' ? 'page' : undefined),
  },
  unknown: flag(),
  sync: flag(),
  revise: {
    expected: 'text, such as revise="a fox, in oil"',
    read: (value) => (value === null || value === '' ? undefined : value),
  },
}

export const DIRECTIVE_NAMES = Object.keys(READERS) as readonly DirectiveName[]

/** Throws ProviderError (`INVALID_REQUEST`, `NOT_SENT`) that names the directive and what it takes. */
export function readDirective<Name extends DirectiveName>(name: Name, value: string | null): Values[Name] {
  const { expected, read } = READERS[name]
  const result = read(value)
  if (result !== undefined) return result
  const given = value === null ? 'no value' : `"${value}"`
  throw createInvalidRequest(`The sandbox directive "${name}" takes ${expected}; it was given ${given}.`)
}

function integer(min: number, max: number, unit: string): Reader<number> {
  return {
    expected: `a whole number of ${unit} from ${min} to ${max}`,
    read: (value) => {
      const number = value !== null && /^\d{1,8}$/.test(value) ? Number(value) : -1
      return number >= min && number <= max ? number : undefined
    },
  }
}

function flag(): Reader<true> {
  return { expected: 'no value', read: (value) => (value === null ? true : undefined) }
}
