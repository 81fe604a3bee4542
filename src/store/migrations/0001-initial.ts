import { createAccounts, createApiKeys } from './0001-accounts.ts'
import {
  createGenerationIndexes,
  createGenerations,
  createGenerationTags,
  createIdempotencyKeys,
} from './0001-generations.ts'
import { createDoomedBlobs, createJobs, createJobTurns } from './0001-jobs.ts'
import { createLedgerEntries, createSpendCounters } from './0001-ledger.ts'
import { createAttempts, createEvents, createImages } from './0001-outcomes.ts'
import type { Migration } from './migration.ts'

/** Every money and time column is `bigint`: PostgreSQL needs it, and SQLite's integers are 64 bits anyway. */
export const initial: Migration = {
  name: '0001-initial',
  async up(trx, dialect) {
    await createAccounts(trx)
    await createApiKeys(trx)
    await createGenerations(trx)
    await createGenerationIndexes(trx)
    await createGenerationTags(trx)
    await createIdempotencyKeys(trx)
    await createAttempts(trx)
    await createImages(trx)
    await createEvents(trx, dialect)
    await createLedgerEntries(trx)
    await createSpendCounters(trx)
    await createJobs(trx)
    await createJobTurns(trx)
    await createDoomedBlobs(trx)
  },
}
