import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { createMemoryEventBus } from '../events/memory-event-bus.ts'
import { createDeletion } from '../generation/deletion.ts'
import { createEventLog, type Outbox } from '../generation/event-log.ts'
import { createRestoredGenerations } from '../generation/restored-generations.ts'
import { createSettlement } from '../generation/settlement.ts'
import type { Ids } from '../ids.ts'
import { createCurrency } from '../ledger/currency.ts'
import { createLedger } from '../ledger/ledger.ts'
import { createLogger } from '../logger.ts'
import { createEmbeddedQueue } from '../queue/embedded-queue.ts'
import { parseBlobKey } from '../storage/blob-keys.ts'
import type { Database } from '../store/database.ts'
import { deleteUpload } from '../store/upload-store.ts'
import type { RecordedBlob } from '../upkeep/recorded-blobs.ts'
import { createOutbox } from '../webhooks/outbox.ts'

export type RecoveryTools = { readonly clock: Clock; readonly ids: Ids }

/** The part of the house that ends and deletes, over a database that no server works on. */
export function createRecovery(config: Pick<Config, 'currency'>, db: Database, { clock, ids }: RecoveryTools) {
  const logger = createLogger({ level: 'silent' })
  const queue = createEmbeddedQueue({ db, clock, ids, leaseMs: 0 })
  const currency = createCurrency(config.currency)
  const settlement = createSettlement({ ledger: createLedger({ ids }), queue, currency, clock })
  const endings = (add: Outbox['add']) => {
    const outbox = { add, nudge: () => undefined }
    const log = createEventLog({ db, bus: createMemoryEventBus({ logger }), outbox, onMoved: () => undefined })
    return createRestoredGenerations({ db, log, settlement, clock })
  }
  const deletion = createDeletion({ db, cache: { drop: () => undefined }, clock })
  return {
    /** Whoever wants to be told of generations is told of this, once the server runs. */
    endUnfinished: endings(createOutbox({ ids })).endAll,
    /** The owner of these bytes has been deleted elsewhere: here too. */
    async forget({ kind, id, key }: RecordedBlob): Promise<void> {
      if (kind === 'UPLOAD') {
        await db.transact((trx) => deleteUpload(trx, id))
        return
      }
      const own = parseBlobKey(key)
      if (own === undefined || own.kind === 'PROBE') throw new Error(`${key} belongs to no generation.`)
      // Nobody is told: elsewhere it had another end.
      await endings(async () => false).end(own.owner, clock.now())
      await deletion.deleteById(own.owner)
    },
  }
}
