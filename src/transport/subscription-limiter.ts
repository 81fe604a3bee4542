/** Counts running subscriptions by account, over all sockets and event streams of this process. */
export type SubscriptionLimiter = {
  /** Takes a place, or null where the account holds `limit` already. Give it back once; again is harmless. */
  acquire(accountId: string, limit: number): (() => void) | null
  countOf(accountId: string): number
}

export function createSubscriptionLimiter(): SubscriptionLimiter {
  const counts = new Map<string, number>()

  function release(accountId: string): void {
    const left = (counts.get(accountId) ?? 0) - 1
    if (left > 0) counts.set(accountId, left)
    else counts.delete(accountId)
  }

  return {
    acquire(accountId, limit) {
      const held = counts.get(accountId) ?? 0
      if (held >= limit) return null
      counts.set(accountId, held + 1)
      let given = false
      return () => {
        if (given) return
        given = true
        release(accountId)
      }
    },
    countOf: (accountId) => counts.get(accountId) ?? 0,
  }
}
