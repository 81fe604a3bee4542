import type { Trx } from '../handles.ts'

export async function createAccounts(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('accounts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('billing', 'text', (column) => column.notNull())
    .addColumn('balanceMicros', 'bigint', (column) => column.notNull())
    .addColumn('heldMicros', 'bigint', (column) => column.notNull())
    .addColumn('requestsPerMinute', 'integer', (column) => column.notNull())
    .addColumn('concurrentGenerations', 'integer', (column) => column.notNull())
    .addColumn('subscriptions', 'integer', (column) => column.notNull())
    .addColumn('dailySpendMicros', 'bigint')
    .addColumn('spendDay', 'integer', (column) => column.notNull())
    .addColumn('spentMicros', 'bigint', (column) => column.notNull())
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .execute()
}

export async function createApiKeys(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('apiKeys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('accountId', 'text', (column) => column.notNull().references('accounts.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('prefix', 'text', (column) => column.notNull())
    .addColumn('secretHash', 'text', (column) => column.notNull().unique())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('dailySpendMicros', 'bigint')
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addColumn('lastUsedAt', 'bigint')
    .addColumn('expiresAt', 'bigint')
    .addColumn('revokedAt', 'bigint')
    .execute()
  await trx.schema.createIndex('apiKeysByAccount').on('apiKeys').columns(['accountId', 'id']).execute()
}
