import { setMaxListeners } from 'node:events'
import type { ProviderOutput, ProviderUsage } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { createAbortion } from './call-failures.ts'

/** What one of several calls came to; `undefined` value: it handed over its images itself and has nothing to add. */
export type PartResult<Value> =
  | { readonly index: number; readonly value: Value }
  | { readonly index: number; readonly error: ProviderError }

/**
 * Makes one call an image where the vendor makes one image a call, a few at a time, each with its own outcome. After a
 * failure that will meet the rest as well (no key, no credit, too many requests) no further one begins: those have the
 * same failure, and were not sent. Anything but a ProviderError, such as a lost lease, ends all of them and is thrown. Once
 * the call has ended none begins, whatever `run` makes of its signal.
 */
export async function fanOut<Value>(
  given: { readonly indexes: readonly number[]; readonly concurrency: number; readonly signal: AbortSignal },
  run: (index: number, signal: AbortSignal) => Promise<Value>,
): Promise<readonly PartResult<Value>[]> {
  const waiting = [...given.indexes]
  const results: PartResult<Value>[] = []
  const stop = new AbortController()
  const signal = AbortSignal.any([given.signal, stop.signal])
  setMaxListeners(0, signal)
  let general: ProviderError | undefined

  async function lane(): Promise<void> {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      if (signal.aborted) throw createAbortion(true)
      if (general) results.push({ index, error: asNotSent(general) })
      else results.push(await runOne(index))
    }
  }

  async function runOne(index: number): Promise<PartResult<Value>> {
    try {
      return { index, value: await run(index, signal) }
    } catch (error) {
      if (!(error instanceof ProviderError) || given.signal.aborted) {
        stop.abort()
        throw error
      }
      if (concernsAll(error)) general ??= error
      return { index, error }
    }
  }

  const lanes = Array.from({ length: Math.min(given.concurrency, waiting.length) }, lane)
  const ended = await Promise.allSettled(lanes)
  const reasons = reasonsOf(ended)
  if (reasons.length > 0) throw gravestOf(reasons)
  return results.sort((left, right) => left.index - right.index)
}

/** What our own side has thrown says more than the calls that were ended for it. */
export function gravestOf(reasons: readonly unknown[]): unknown {
  return reasons.find((reason) => !(reason instanceof ProviderError)) ?? reasons[0]
}

export function reasonsOf(ended: readonly PromiseSettledResult<unknown>[]): readonly unknown[] {
  return ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
}

export function failuresOf(results: readonly PartResult<unknown>[]): ProviderOutput['failures'] {
  return results.flatMap((result) => ('error' in result ? [{ imageIndex: result.index, error: result.error }] : []))
}

export function valuesOf<Value>(results: readonly PartResult<Value>[]): readonly Value[] {
  return results.flatMap((result) => ('value' in result ? [result.value] : []))
}

/** Where a single image was asked for its failure is that of the whole call. */
export function throwIfAlone(results: readonly PartResult<unknown>[], count: number): void {
  const [only] = results
  if (count === 1 && only && 'error' in only) throw only.error
}

/** The tokens of several calls together; null where none of them told any. */
export function sumUsage(usages: readonly (ProviderUsage | null)[]): ProviderUsage | null {
  const told = usages.filter((usage) => usage !== null)
  if (told.length === 0) return null
  const sum = (field: keyof ProviderUsage) => {
    const numbers = told.map((usage) => usage[field]).filter((number) => number !== null)
    return numbers.length === 0 ? null : numbers.reduce((total, number) => total + number, 0)
  }
  return {
    inputTokens: sum('inputTokens'),
    imageInputTokens: sum('imageInputTokens'),
    outputTokens: sum('outputTokens'),
    imageOutputTokens: sum('imageOutputTokens'),
    totalTokens: sum('totalTokens'),
  }
}

export function concernsAll({ kind, delivery }: ProviderError): boolean {
  if (kind === 'UNAUTHORIZED' || kind === 'QUOTA_EXHAUSTED' || kind === 'MODEL_RETIRED') return true
  return delivery === 'NOT_ACCEPTED' && (kind === 'RATE_LIMITED' || kind === 'UNAVAILABLE')
}

/** The same failure for a call that was never made. */
export function asNotSent(error: ProviderError): ProviderError {
  const { kind, message, retryAfterMs, providerCode, providerRequestId } = error
  const delivery = 'NOT_ACCEPTED'
  return new ProviderError({ kind, delivery, message, retryAfterMs, providerCode, providerRequestId })
}
