import type { Migration } from './migration.ts'

/** Callers' own keys for providers: those that an account keeps, and those that a generation brought with it. */
export const providerKeys: Migration = {
  name: '0003-provider-keys',
  async up(trx) {
    await trx.schema
      .createTable('providerKeys')
      .addColumn('accountId', 'text', (column) => column.notNull().references('accounts.id'))
      .addColumn('provider', 'text', (column) => column.notNull())
      .addColumn('ciphertext', 'text', (column) => column.notNull())
      .addColumn('hint', 'text', (column) => column.notNull())
      .addColumn('createdAt', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('providerKeysKey', ['accountId', 'provider'])
      .execute()
    await trx.schema
      .createTable('generationSecrets')
      .addColumn('generationId', 'text', (column) => column.primaryKey())
      .addColumn('accountId', 'text', (column) => column.notNull())
      .addColumn('provider', 'text', (column) => column.notNull())
      .addColumn('ciphertext', 'text', (column) => column.notNull())
      .execute()
    await trx.schema
      .alterTable('generations')
      .addColumn('keySource', 'text', (column) => column.notNull().defaultTo('SERVER'))
      .execute()
  },
}
