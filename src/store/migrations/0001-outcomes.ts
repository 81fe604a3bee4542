import type { DialectName, Trx } from '../handles.ts'

export async function createAttempts(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('attempts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('generationId', 'text', (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('provider', 'text', (column) => column.notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('phase', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text')
    .addColumn('problem', 'text')
    .addColumn('providerRequestId', 'text')
    .addColumn('reference', 'text')
    .addColumn('startedAt', 'bigint', (column) => column.notNull())
    .addColumn('finishedAt', 'bigint')
    .addUniqueConstraint('attemptsNumber', ['generationId', 'number'])
    .execute()
}

export async function createImages(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('images')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('generationId', 'text', (column) => column.notNull())
    .addColumn('accountId', 'text', (column) => column.notNull())
    .addColumn('imageIndex', 'integer', (column) => column.notNull())
    .addColumn('blobKey', 'text', (column) => column.notNull())
    .addColumn('mimeType', 'text', (column) => column.notNull())
    .addColumn('width', 'integer', (column) => column.notNull())
    .addColumn('height', 'integer', (column) => column.notNull())
    .addColumn('sizeBytes', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('thumbhash', 'text', (column) => column.notNull())
    .addColumn('revisedPrompt', 'text')
    .addColumn('seed', 'bigint')
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('imagesIndex', ['generationId', 'imageIndex'])
    .execute()
}

export async function createEvents(trx: Trx, dialect: DialectName): Promise<void> {
  await trx.schema
    .createTable('events')
    .addColumn('position', dialect === 'postgres' ? 'bigserial' : 'integer', (column) =>
      dialect === 'postgres' ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    .addColumn('generationId', 'text', (column) => column.notNull())
    .addColumn('accountId', 'text', (column) => column.notNull())
    .addColumn('endUser', 'text')
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('previousStatus', 'text')
    .addColumn('imageId', 'text')
    .addColumn('message', 'text')
    .addColumn('problem', 'text')
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('eventsSequence', ['generationId', 'sequence'])
    .execute()
  await trx.schema.createIndex('eventsByAccount').on('events').columns(['accountId', 'position']).execute()
}
