import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { findApiKey, findApiKeyByHash } from '../store/api-key-store.ts'
import type { Database } from '../store/handles.ts'
import type { ApiKeyRow } from '../store/tables.ts'

/** Rows of keys, up to ten seconds old: a burst of requests with one key reads it once. */
export type KnownApiKeys = {
  findByHash(secretHash: string): Promise<ApiKeyRow | undefined>
  findById(id: string): Promise<ApiKeyRow | undefined>
  /** Was there a key with this hash, as far as this process remembers? Asks nobody. */
  remembers(secretHash: string): boolean
  /** After a change: the next look is at the database. */
  forget(row: ApiKeyRow): void
}

const MAX_AGE_MS = 10_000
const MAX_KEYS = 5_000

export function createKnownApiKeys(deps: { readonly database: Database; readonly clock: Clock }): KnownApiKeys {
  const { database, clock } = deps
  const rows = new LRUCache<string, { readonly row: ApiKeyRow; readonly readAt: number }>({ max: 2 * MAX_KEYS })
  let changes = 0

  /** Only keys that exist are remembered: guesses would push them out, and a key must work as soon as it is made. */
  async function find(name: string, read: () => Promise<ApiKeyRow | undefined>): Promise<ApiKeyRow | undefined> {
    const readAt = clock.now()
    const entry = rows.get(name)
    // Both ways, or a clock that is set back would keep a revoked key alive. What will be refused is read anew, so that
    // every refusal costs one look at the database.
    if (entry && Math.abs(readAt - entry.readAt) < MAX_AGE_MS && isUsable(entry.row, readAt)) return entry.row
    const changesBefore = changes
    const row = await read()
    // A row that was read before a revocation must not be put back behind it.
    if (row && changes === changesBefore) rows.set(name, { row, readAt })
    return row
  }

  return {
    findByHash: (hash) => find(`hash ${hash}`, () => findApiKeyByHash(database.read, hash)),
    findById: (id) => find(`id ${id}`, () => findApiKey(database.read, id)),
    remembers: (hash) => rows.has(`hash ${hash}`),
    forget(row) {
      changes += 1
      rows.delete(`hash ${row.secretHash}`)
      rows.delete(`id ${row.id}`)
    },
  }
}

export function isUsable({ revokedAt, expiresAt }: ApiKeyRow, now: number): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > now)
}
