import { sql } from 'kysely'
import { MIGRATIONS } from '../../src/store/migrations/index.ts'
import type { Migration } from '../../src/store/migrations/migration.ts'

function createTable(name: string, table: string): Migration {
  return {
    name,
    async up(trx) {
      await sql`create table ${sql.table(table)} ("id" text primary key)`.execute(trx)
    },
  }
}

/** The released migrations and two more, as a later version would have them. */
export const EXTRA_MIGRATIONS: readonly Migration[] = [
  ...MIGRATIONS,
  createTable('9001-first', 'firstTable'),
  createTable('9002-second', 'secondTable'),
]
