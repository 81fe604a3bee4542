import { LRUCache } from 'lru-cache'
import type { Logger } from '../logger.ts'
import { touchApiKey } from '../store/api-key-store.ts'
import type { Database } from '../store/handles.ts'
import type { ApiKeyRow } from '../store/tables.ts'

/** When keys were last used, to the minute: written beside the request, which neither waits for it nor fails with it. */
export type ApiKeyUses = {
  note(key: ApiKeyRow, now: number): void
  /** Resolves when what was noted is written or has failed. */
  settle(): Promise<void>
}

const RESOLUTION_MS = 60_000
const MAX_KEYS = 5_000

export function createApiKeyUses(deps: {
  readonly database: Database
  readonly logger: Pick<Logger, 'warn'>
}): ApiKeyUses {
  const { database, logger } = deps
  const noted = new LRUCache<string, number>({ max: MAX_KEYS })
  const writing = new Set<Promise<void>>()

  async function write(id: string, at: number): Promise<void> {
    try {
      await database.transact((trx) => touchApiKey(trx, { id, at }))
    } catch (error) {
      logger.warn({ error, apiKeyId: id }, 'The last use of an API key could not be written.')
    }
  }

  return {
    note(key, now) {
      const last = Math.max(key.lastUsedAt ?? 0, noted.get(key.id) ?? 0)
      if (now - last < RESOLUTION_MS) return
      noted.set(key.id, now)
      const written = write(key.id, now).finally(() => writing.delete(written))
      writing.add(written)
    },
    async settle() {
      while (writing.size > 0) await Promise.all(writing)
    },
  }
}
