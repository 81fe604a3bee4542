import { sql } from 'kysely'
import type { Trx } from '../handles.ts'

export async function createJobs(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('jobs')
    .addColumn('generationId', 'text', (column) => column.primaryKey())
    .addColumn('accountId', 'text', (column) => column.notNull())
    .addColumn('provider', 'text', (column) => column.notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('turn', 'bigint', (column) => column.notNull())
    .addColumn('enqueuedAt', 'bigint', (column) => column.notNull())
    .addColumn('runAt', 'bigint', (column) => column.notNull())
    .addColumn('claims', 'integer', (column) => column.notNull())
    .addColumn('leaseToken', 'text')
    .addColumn('leaseExpiresAt', 'bigint')
    .execute()
  await trx.schema
    .createIndex('jobsWaiting')
    .on('jobs')
    .columns(['turn', 'priority desc', 'generationId'])
    .where(sql.ref('leaseToken'), 'is', null)
    .execute()
  await trx.schema
    .createIndex('jobsLeased')
    .on('jobs')
    .column('leaseExpiresAt')
    .where(sql.ref('leaseToken'), 'is not', null)
    .execute()
}

export async function createJobTurns(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('jobTurns')
    .addColumn('flow', 'text', (column) => column.primaryKey())
    .addColumn('turn', 'bigint', (column) => column.notNull())
    .execute()
}

export async function createDoomedBlobs(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('doomedBlobs')
    .addColumn('prefix', 'text', (column) => column.primaryKey())
    .addColumn('doomedAt', 'bigint', (column) => column.notNull())
    .execute()
}
