import type { Trx } from '../handles.ts'
import type { Migration } from './migration.ts'

/** Where accounts want to be told of their generations, and what is on its way there. */
export const webhooks: Migration = {
  name: '0005-webhooks',
  async up(trx) {
    await trx.schema.alterTable('generations').addColumn('webhookUrl', 'text').execute()
    await createEndpoints(trx)
    await createDeliveries(trx)
  },
}

async function createEndpoints(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('webhookEndpoints')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('accountId', 'text', (column) => column.notNull().references('accounts.id'))
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('events', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('previousSecret', 'text')
    .addColumn('previousSecretExpiresAt', 'bigint')
    .addColumn('failingSince', 'bigint')
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .execute()
  await trx.schema.createIndex('webhookEndpointsByAccount').on('webhookEndpoints').column('accountId').execute()
}

async function createDeliveries(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('webhookDeliveries')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('messageId', 'text', (column) => column.notNull())
    .addColumn('accountId', 'text', (column) => column.notNull().references('accounts.id'))
    .addColumn('endpointId', 'text')
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('generationId', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('previousStatus', 'text')
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('eventAt', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('nextAttemptAt', 'bigint')
    .addColumn('leaseToken', 'text')
    .addColumn('leaseExpiresAt', 'bigint')
    .addColumn('lastResponseStatus', 'integer')
    .addColumn('lastError', 'text')
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addColumn('deliveredAt', 'bigint')
    .execute()
  await trx.schema.createIndex('webhookDeliveriesDue').on('webhookDeliveries').column('nextAttemptAt').execute()
  await trx.schema
    .createIndex('webhookDeliveriesByEndpoint')
    .on('webhookDeliveries')
    .columns(['endpointId', 'id'])
    .execute()
  await trx.schema.createIndex('webhookDeliveriesByAge').on('webhookDeliveries').column('createdAt').execute()
}
