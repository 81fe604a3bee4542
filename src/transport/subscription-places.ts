import type { MetricLabel, Metrics } from '../metrics.ts'
import type { Viewer } from '../viewer.ts'

/** Places for those who watch, counted by account over all sockets, event streams and waiting calls of this process. */
export type SubscriptionPlaces = {
  /** null: the account has as many as it may. Give it back once; again is harmless. */
  take(viewer: Viewer, transport: MetricLabel<'transport'>): Promise<(() => void) | null>
}

export function createSubscriptionPlaces(deps: {
  readonly metrics: Pick<Metrics, 'subscriptionStarted' | 'subscriptionEnded'>
  subscriptionsOf?(viewer: Viewer): number | Promise<number>
  readonly limits: { readonly subscriptionsPerAccount: number }
}): SubscriptionPlaces {
  const { metrics, limits } = deps
  const counts = new Map<string, number>()

  function change(accountId: string, by: 1 | -1): void {
    const count = (counts.get(accountId) ?? 0) + by
    if (count > 0) counts.set(accountId, count)
    else counts.delete(accountId)
  }

  return {
    async take(viewer, transport) {
      const { accountId } = viewer
      const limit = (await deps.subscriptionsOf?.(viewer)) ?? limits.subscriptionsPerAccount
      if ((counts.get(accountId) ?? 0) >= limit) return null
      change(accountId, 1)
      metrics.subscriptionStarted(transport)
      let isGiven = false
      return () => {
        if (isGiven) return
        isGiven = true
        change(accountId, -1)
        metrics.subscriptionEnded(transport)
      }
    },
  }
}
