import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Database } from '../store/handles.ts'
import { listProviderKeys } from '../store/provider-key-store.ts'

/**
 * For which providers an account keeps a key, up to ten seconds old: every request asks, and nearly no account has one.
 * That there is none is remembered too. The keys themselves are not.
 */
export type KnownProviderKeys = {
  providersOf(accountId: string): Promise<ReadonlySet<string>>
  /** After a change: the next look is at the database. Other processes see it within ten seconds. */
  forget(accountId: string): void
}

const MAX_AGE_MS = 10_000
const MAX_ACCOUNTS = 10_000

export function createKnownProviderKeys(deps: {
  readonly database: Pick<Database, 'read'>
  readonly clock: Clock
}): KnownProviderKeys {
  const { database, clock } = deps
  const known = new LRUCache<string, { readonly providers: ReadonlySet<string>; readonly readAt: number }>({
    max: MAX_ACCOUNTS,
  })
  let changes = 0

  return {
    async providersOf(accountId) {
      const readAt = clock.now()
      const entry = known.get(accountId)
      // Both ways, or a clock that is set back would keep an old answer alive.
      if (entry && Math.abs(readAt - entry.readAt) < MAX_AGE_MS) return entry.providers
      const changesBefore = changes
      const rows = await listProviderKeys(database.read, accountId)
      const providers = new Set(rows.map(({ provider }) => provider))
      // What was read before a change must not be put back behind it.
      if (changes === changesBefore) known.set(accountId, { providers, readAt })
      return providers
    },
    forget(accountId) {
      changes += 1
      known.delete(accountId)
    },
  }
}
