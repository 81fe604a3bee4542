import type { EstimateCostQuery, GenerateImageMutation } from '../../schema/generated/operations.ts'
import { CommandError } from './command-error.ts'
import { formatFields } from './failures.ts'
import { formatDuration, formatMoney } from './wording.ts'

export type Refusal =
  | Exclude<GenerateImageMutation['generateImage'], { readonly __typename: 'GenerateImageSuccess' }>
  | Exclude<EstimateCostQuery['estimateCost'], { readonly __typename: 'CostEstimate' }>

/** A member of a result union that is a failure, with all that it tells; 2 where the request itself is the fault. */
export function explainRefusal(refusal: Refusal): CommandError {
  const { __typename: type, ...details } = refusal
  const isInput = type === 'InvalidInputError' || (type === 'ModelUnavailableError' && isNameFault(refusal.reason))
  const text = [isInput && 'fields' in refusal ? NOT_HONOURED : refusal.message, ...linesOf(refusal)].join('\n')
  return new CommandError(isInput ? 2 : 1, text, { type, ...details })
}

/** The message of such a refusal is that of its fields, which follow line by line. */
const NOT_HONOURED = 'The request cannot be honoured:'

function isNameFault(reason: string): boolean {
  return reason === 'UNKNOWN' || reason === 'AMBIGUOUS'
}

function linesOf(refusal: Refusal): readonly string[] {
  switch (refusal.__typename) {
    case 'InvalidInputError':
      return formatFields('', refusal.fields).split('\n').slice(1)
    case 'ModelUnavailableError':
      return [
        ...(refusal.suggestions.length > 0 ? [`  Would do, or was meant: ${refusal.suggestions.join(', ')}`] : []),
        ...(refusal.replacement ? [`  Its successor: ${refusal.replacement.id}`] : []),
      ]
    case 'InsufficientCreditsError':
      return [`  needed: ${formatMoney(refusal.required)}`, `  at hand: ${formatMoney(refusal.balance)}`]
    case 'CostLimitError':
      return [
        `  may cost: ${refusal.estimate ? formatMoney(refusal.estimate) : 'unknown'}`,
        `  limit: ${formatMoney(refusal.limit)}`,
      ]
    case 'RateLimitedError':
      return [`  Try again in ${formatDuration(refusal.retryAfterMs)}.`]
    case 'IdempotencyConflictError':
      return [`  The key stands for ${refusal.generation.id} (${refusal.generation.status}).`]
    default:
      return []
  }
}
