import type { ProviderOutput } from '../providers/provider.ts'
import type { ProviderError } from '../providers/provider-error.ts'
import type { AttemptOutcome, GenerationRow } from '../store/tables.ts'
import type { Problem } from './generation-types.ts'
import { createProblem, toProblem } from './problems.ts'

/** What came of an attempt, as the worker saw it. */
export type AttemptResult = (
  | { readonly kind: 'answered'; readonly output: ProviderOutput }
  /** Stage `INPUT`: the request's own pictures could not be read. No provider was asked, and none is to blame. */
  | { readonly kind: 'failed'; readonly error: ProviderError; readonly stage?: 'INPUT' }
) & {
  /** Indexes of pictures that were made and could not be kept: our own fault, not the provider's. */
  readonly unstored: readonly number[]
}

/**
 * The failure that decides whether the whole attempt may be made again; undefined where it may not, because something
 * came of it or nobody said why nothing did. Of several failures the gravest decides: one image that may have been made
 * forbids to send for all of them again.
 */
export function decisiveError(row: GenerationRow, result: AttemptResult): ProviderError | undefined {
  if (row.imageCount > 0 || result.unstored.length > 0) return undefined
  if (result.kind === 'failed') return result.error
  const { failures } = result.output
  if (failures.length < row.count) return undefined
  return gravest(failures.map((failure) => failure.error))
}

function gravest(errors: readonly ProviderError[]): ProviderError | undefined {
  return [...errors].sort(
    (left, right) => weightOf(right) - weightOf(left) || (right.retryAfterMs ?? 0) - (left.retryAfterMs ?? 0),
  )[0]
}

function weightOf({ kind, delivery, providerBilled }: ProviderError): number {
  if (delivery === 'UNKNOWN') return 4
  if (kind === 'REFUSED') return 3
  if (providerBilled !== false) return 2
  return delivery === 'ANSWERED' ? 1 : 0
}

/** Why images are missing, what weighs most first where there are none; empty when none is missing. */
export function problemsOf(row: GenerationRow, result: AttemptResult): Problem[] {
  const missing = row.count - row.imageCount
  if (missing <= 0) return []
  const unstored = result.unstored.map(notStored)
  if (result.kind === 'failed') {
    const { stage } = result
    return [...unstored, { ...toProblem(result.error), ...(stage && { stage }) }]
  }
  const { failures, requestId } = result.output
  const decisive = decisiveError(row, result)
  const failed = [...failures]
    .sort((left, right) => Number(right.error === decisive) - Number(left.error === decisive))
    .map(({ error, imageIndex }) => toProblem(error, imageIndex))
  const listed = [...unstored, ...failed]
  return listed.length < missing ? [...listed, tooFew(row, missing - listed.length, requestId)] : listed
}

function notStored(imageIndex: number): Problem {
  return createProblem({
    code: 'INTERNAL',
    message: 'The picture was made and could not be stored. The server has run out of space or lost its storage.',
    stage: 'STORAGE',
    retryable: true,
    providerBilled: true,
    imageIndex,
  })
}

function tooFew(row: GenerationRow, missing: number, providerRequestId: string | null): Problem {
  return createProblem({
    code: 'TOO_FEW_IMAGES',
    message: `The provider left out ${missing} of ${row.count} images and did not say why.`,
    stage: 'PROVIDER',
    retryable: true,
    providerBilled: null,
    providerRequestId,
  })
}

export function outcomeOf(row: GenerationRow, problems: readonly Problem[]): AttemptOutcome {
  if (row.imageCount === 0) return 'FAILED'
  return problems.length === 0 ? 'SUCCEEDED' : 'PARTIAL'
}

export function requestIdOf(result: AttemptResult): string | null {
  return result.kind === 'answered' ? result.output.requestId : result.error.providerRequestId
}

/** Has the vendor said its last word? Otherwise the phase keeps how far the call came. */
export function isDone(result: AttemptResult): boolean {
  return result.kind === 'answered' || ['ANSWERED', 'NOT_ACCEPTED'].includes(result.error.delivery)
}
