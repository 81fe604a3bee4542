import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/**
 * Finds what has ended long ago. When a generation goes is told by its end and by the setting of today, so the column
 * that no release ever filled is taken away.
 */
export const retention: Migration = {
  name: '0004-retention',
  async up(trx) {
    await trx.schema.alterTable('generations').dropColumn('expiresAt').execute()
    await trx.schema
      .createIndex('generationsByEnd')
      .on('generations')
      .column('finishedAt')
      .where(sql.ref('finishedAt'), 'is not', null)
      .where(sql.ref('deletedAt'), 'is', null)
      .execute()
  },
}
