import { type Clock, openTimeLimit } from '../../clock.ts'
import { createAbortion } from './call-failures.ts'

/**
 * Work that ends with its caller, or when its time is over. What an SDK throws then may say neither, and one ends a
 * stream without a word, so that this is decided here; whatever else was thrown `toFailure` explains.
 */
export async function withinTime<Value>(
  given: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<Value>,
  toFailure: (error: unknown) => Error,
): Promise<Value> {
  const { signal } = given
  const limit = openTimeLimit(given.clock, given.timeoutMs, signal)
  try {
    return await work(limit.signal)
  } catch (error) {
    if (signal.aborted) throw createAbortion(true)
    throw toFailure(limit.isOver() ? limit.signal.reason : error)
  } finally {
    limit.close()
  }
}
