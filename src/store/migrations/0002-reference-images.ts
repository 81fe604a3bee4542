import type { Trx } from '../handles.ts'
import type { Migration } from './migration.ts'

/** Pictures that go into a generation, and those that were uploaded for one. */
export const referenceImages: Migration = {
  name: '0002-reference-images',
  async up(trx) {
    await trx.schema
      .alterTable('generations')
      .addColumn('inputs', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute()
    await createUploads(trx)
  },
}

async function createUploads(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('uploads')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('accountId', 'text', (column) => column.notNull().references('accounts.id'))
    .addColumn('endUser', 'text')
    .addColumn('blobKey', 'text', (column) => column.notNull())
    .addColumn('mimeType', 'text', (column) => column.notNull())
    .addColumn('width', 'integer', (column) => column.notNull())
    .addColumn('height', 'integer', (column) => column.notNull())
    .addColumn('sizeBytes', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addColumn('expiresAt', 'bigint', (column) => column.notNull())
    .execute()
  await trx.schema.createIndex('uploadsByAccount').on('uploads').columns(['accountId', 'endUser']).execute()
  await trx.schema.createIndex('uploadsByExpiry').on('uploads').column('expiresAt').execute()
  // The sweep asks for what is due, and what is doomed in advance lies among it.
  await trx.schema.createIndex('doomedBlobsByTime').on('doomedBlobs').column('doomedAt').execute()
}
