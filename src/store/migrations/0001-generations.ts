import { sql } from 'kysely'
import type { Trx } from '../handles.ts'

export async function createGenerations(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('generations')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('accountId', 'text', (column) => column.notNull().references('accounts.id'))
    .addColumn('endUser', 'text')
    .addColumn('apiKeyId', 'text')
    .addColumn('tokenId', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('attemptToken', 'text')
    .addColumn('imageCount', 'integer', (column) => column.notNull())
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('provider', 'text', (column) => column.notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('requestedModel', 'text', (column) => column.notNull())
    .addColumn('prompt', 'text', (column) => column.notNull())
    .addColumn('negativePrompt', 'text')
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('parameters', 'text', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('price', 'text')
    .addColumn('warnings', 'text', (column) => column.notNull())
    .addColumn('problems', 'text', (column) => column.notNull())
    .addColumn('error', 'text')
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('metadata', 'text')
    .addColumn('estimateMinMicros', 'bigint')
    .addColumn('estimateMaxMicros', 'bigint')
    .addColumn('heldMicros', 'bigint', (column) => column.notNull())
    .addColumn('chargedMicros', 'bigint')
    .addColumn('providerReportedMicros', 'bigint')
    .addColumn('spendDay', 'integer', (column) => column.notNull())
    .addColumn('tokens', 'text')
    .addColumn('parentId', 'text')
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addColumn('startedAt', 'bigint')
    .addColumn('finishedAt', 'bigint')
    .addColumn('deadlineAt', 'bigint')
    .addColumn('expiresAt', 'bigint')
    .addColumn('deletedAt', 'bigint')
    .execute()
}

export async function createGenerationIndexes(trx: Trx): Promise<void> {
  // History pages by id alone: ids sort by time of making, so one index serves order, cursor and page.
  await trx.schema.createIndex('generationsByAccount').on('generations').columns(['accountId', 'id']).execute()
  await trx.schema
    .createIndex('generationsByEndUser')
    .on('generations')
    .columns(['accountId', 'endUser', 'id'])
    .where(sql.ref('endUser'), 'is not', null)
    .execute()
  await trx.schema.createIndex('generationsByCreation').on('generations').columns(['accountId', 'createdAt']).execute()
  await trx.schema
    .createIndex('generationsFinishedByModel')
    .on('generations')
    .columns(['model', 'finishedAt'])
    .where(sql.ref('finishedAt'), 'is not', null)
    .execute()
  await trx.schema
    .createIndex('generationsOpenByDeadline')
    .on('generations')
    .column('deadlineAt')
    .where(sql.ref('finishedAt'), 'is', null)
    .where(sql.ref('deadlineAt'), 'is not', null)
    .execute()
}

export async function createGenerationTags(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('generationTags')
    .addColumn('generationId', 'text', (column) => column.notNull())
    .addColumn('accountId', 'text', (column) => column.notNull())
    .addColumn('tag', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('generationTagsKey', ['accountId', 'tag', 'generationId'])
    .execute()
  await trx.schema.createIndex('generationTagsByGeneration').on('generationTags').column('generationId').execute()
}

export async function createIdempotencyKeys(trx: Trx): Promise<void> {
  await trx.schema
    .createTable('idempotencyKeys')
    .addColumn('accountId', 'text', (column) => column.notNull())
    .addColumn('endUser', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('requestHash', 'text', (column) => column.notNull())
    .addColumn('generationId', 'text', (column) => column.notNull())
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotencyKeysKey', ['accountId', 'endUser', 'key'])
    .execute()
  await trx.schema.createIndex('idempotencyKeysByAge').on('idempotencyKeys').column('createdAt').execute()
}
