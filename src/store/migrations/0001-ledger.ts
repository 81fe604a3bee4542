import { sql } from 'kysely'
import type { Trx } from '../handles.ts'

export async function createLedgerEntries(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('ledgerEntries')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('accountId', 'text', (column) => column.notNull().references('accounts.id'))
    .addColumn('generationId', 'text')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('amountMicros', 'bigint', (column) => column.notNull())
    .addColumn('heldMicros', 'bigint', (column) => column.notNull())
    .addColumn('imageIndex', 'integer')
    .addColumn('note', 'text')
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .execute()
  await trx.schema.createIndex('ledgerEntriesByGeneration').on('ledgerEntries').column('generationId').execute()
  // The database itself refuses a second capture of one image, a second hold and a second release of one generation.
  await trx.schema
    .createIndex('ledgerEntriesCaptureOnce')
    .unique()
    .on('ledgerEntries')
    .columns(['generationId', 'imageIndex'])
    .where(sql.ref('kind'), '=', sql.lit('CAPTURE'))
    .execute()
  await trx.schema
    .createIndex('ledgerEntriesHoldOnce')
    .unique()
    .on('ledgerEntries')
    .columns(['generationId', 'kind'])
    .where(sql.ref('kind'), 'in', [sql.lit('HOLD'), sql.lit('RELEASE')])
    .execute()
}

export async function createSpendCounters(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('spendCounters')
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('day', 'integer', (column) => column.notNull())
    .addColumn('spentMicros', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('spendCountersKey', ['scope', 'day'])
    .execute()
}
