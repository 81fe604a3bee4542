import type { Clock } from '../../clock.ts'

/** Something of the vendor's that changes seldom, such as its keys: fetched when it is first needed, and kept. */
export type RenewedValue<Value> = {
  /** As kept, or fetched. Rejects as `fetch` does; the next call then tries again. */
  get(signal: AbortSignal): Promise<Value>
  /** Fetched anew where it is older than `restMs`: the vendor may have changed it. Otherwise undefined. */
  renew(signal: AbortSignal): Promise<Value | undefined>
}

/** `lifeMs`: how long it is believed; `restMs`: how often at most a stranger's word can have it fetched anew. */
export function createRenewedValue<Value>(given: {
  readonly clock: Clock
  readonly lifeMs: number
  readonly restMs: number
  fetch(signal: AbortSignal): Promise<Value>
}): RenewedValue<Value> {
  const { clock, lifeMs, restMs } = given
  let kept: { readonly value: Promise<Value>; readonly at: number } | undefined

  const renewed = (signal: AbortSignal): Promise<Value> => {
    const mine = { value: given.fetch(signal), at: clock.now() }
    kept = mine
    mine.value.catch(() => {
      if (kept === mine) kept = undefined
    })
    return mine.value
  }
  const isOlderThan = (ms: number) => kept === undefined || clock.now() - kept.at >= ms

  return {
    get: async (signal) => (kept === undefined || isOlderThan(lifeMs) ? renewed(signal) : kept.value),
    renew: async (signal) => (isOlderThan(restMs) ? renewed(signal) : undefined),
  }
}
