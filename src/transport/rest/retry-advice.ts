import { AppError, ModelUnavailableError, RateLimitedError } from '../../errors.ts'
import { GenerationFailedError } from './generation-failed.ts'
import { GenerationOpenError } from './generation-open.ts'

/**
 * `x-should-retry`, which the OpenAI SDKs obey: left to themselves they send a call again after 409, 429 and every 5xx. A
 * repetition that would make and charge another generation is forbidden; null leaves it to them.
 */
export function adviseRetry(
  error: unknown,
  { status, hasKey, isCounted }: { readonly status: number; readonly hasKey: boolean; readonly isCounted: boolean },
): 'true' | 'false' | null {
  // It has ended: the same key finds the same end, and without one it would be made anew.
  if (error instanceof GenerationFailedError) return 'false'
  // The next process knows what was begun: by the caller's key, or by ours for a caller that counts its repetitions.
  if (error instanceof GenerationOpenError) return error.endedBy === 'DRAIN' && (hasKey || isCounted) ? 'true' : 'false'
  if (error instanceof ModelUnavailableError) return error.reason === 'DOWN' ? null : 'false'
  if (error instanceof RateLimitedError) return null
  if (status < 500 && error instanceof AppError) return null
  return hasKey ? null : 'false'
}
