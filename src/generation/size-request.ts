import type { ModelAlias } from '../providers/model.ts'
import type { GenerationInput } from './generation-types.ts'
import { formatSize, hasSameRatio, hasSameShape, parseAspectRatio, parseSize, type Size } from './image-size.ts'
import { type PlanFindings, quote } from './plan-findings.ts'

/** What size was asked for, and in which field. */
export type SizeRequest =
  | { readonly kind: 'size'; readonly field: string; readonly size: Size }
  | {
      readonly kind: 'ratio'
      readonly field: string
      readonly text: string
      /** null: a word such as "auto", which only a model that declares it understands. */
      readonly shape: Size | null
    }

type AliasParameters = ModelAlias['parameters']

/**
 * The caller's own size, else the alias's, else null; also null after refusing one that cannot be read. `declared` are
 * the model's own aspect ratios, whatever they look like.
 */
export function readSizeRequest(
  alias: AliasParameters,
  input: GenerationInput,
  declared: readonly string[],
  findings: PlanFindings,
): SizeRequest | null {
  const given = listGivenFields(input)
  if (given.length > 1) {
    const message = 'Give `width` with `height`, or `size`, or `aspectRatio`: only one of the three.'
    for (const path of given) findings.refuse({ path, message, allowed: [] })
    return null
  }
  const own = readOwn(input, declared, findings)
  const implied = readTexts('model', alias.size ?? null, alias.aspectRatio ?? null, declared, findings)
  if (given.length === 0) return implied
  if (own && implied && !agree(own, implied)) {
    const stands = implied.kind === 'size' ? formatSize(implied.size) : implied.text
    const message = `The model name that was asked for stands for ${stands}. Leave this out, or use the model's id.`
    findings.refuse({ path: own.field, message, allowed: [stands] })
  }
  return own
}

function listGivenFields(input: GenerationInput): string[] {
  const { width, height, size, aspectRatio } = input
  const sides = width !== null ? ['width'] : height !== null ? ['height'] : []
  return [...sides, ...(size === null ? [] : ['size']), ...(aspectRatio === null ? [] : ['aspectRatio'])]
}

function readOwn(input: GenerationInput, declared: readonly string[], findings: PlanFindings): SizeRequest | null {
  const { width, height, size, aspectRatio } = input
  if (width !== null && height !== null) {
    // What is no whole number is refused with the limits that hold for every model.
    const isWhole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0
    return isWhole ? { kind: 'size', field: 'width', size: { width, height } } : null
  }
  if (width !== null || height !== null) {
    const [path, other] = width === null ? ['width', 'height'] : ['height', 'width']
    findings.refuse({ path, message: `Give it together with \`${other}\`, or give \`aspectRatio\`.`, allowed: [] })
    return null
  }
  return readTexts(size === null ? 'aspectRatio' : 'size', size, aspectRatio, declared, findings)
}

function readTexts(
  field: string,
  size: string | null,
  aspectRatio: string | null,
  declared: readonly string[],
  findings: PlanFindings,
): SizeRequest | null {
  if (size !== null) {
    const parsed = parseSize(size)
    if (parsed) return { kind: 'size', field, size: parsed }
    const message = `A size is two whole numbers such as 1024x768; ${quote(size)} is not.`
    findings.refuse({ path: field, message, allowed: [] })
    return null
  }
  if (aspectRatio === null) return null
  const shape = parseAspectRatio(aspectRatio)
  if (shape || declared.includes(aspectRatio)) return { kind: 'ratio', field, text: aspectRatio, shape }
  const message = `An aspect ratio is two whole numbers such as 16:9; ${quote(aspectRatio)} is not.`
  findings.refuse({ path: field, message, allowed: declared })
  return null
}

/** A size agrees with an alias's ratio when it has that shape; everything else must be the same. */
function agree(own: SizeRequest, implied: SizeRequest): boolean {
  if (own.kind === 'size' && implied.kind === 'size') return formatSize(own.size) === formatSize(implied.size)
  const shape = implied.kind === 'size' ? implied.size : implied.shape
  if (own.kind === 'size') return shape === null || hasSameShape(own.size, shape)
  if (own.shape === null || shape === null) return implied.kind === 'ratio' && own.text === implied.text
  return implied.kind === 'size' ? hasSameShape(own.shape, shape) : hasSameRatio(own.shape, shape)
}
