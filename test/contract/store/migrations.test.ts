import { sql } from 'kysely'
import { expect, it } from 'vitest'
import type { Database } from '../../../src/store/database.ts'
import { listTableNames } from '../../../src/store/dialect.ts'
import { MIGRATIONS } from '../../../src/store/migrations/index.ts'
import type { Migration } from '../../../src/store/migrations/migration.ts'
import { DatabaseRefusedError } from '../../../src/store/store-errors.ts'
import type { GenerationRow } from '../../../src/store/tables.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { startDatabaseProcess } from '../../support/child-process.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock, FAKE_START } from '../../support/fake-clock.ts'
import { generationRow } from '../../support/generation-rows.ts'
import { EXTRA_MIGRATIONS } from '../../support/migrations.ts'

const FIRST = EXTRA_MIGRATIONS.slice(0, -1)

async function listApplied({ read }: Database) {
  const { rows } = await sql<{ name: string; appliedAt: number }>`select * from "migrations" order by "name"`.execute(
    read,
  )
  return rows
}

async function listNames(database: Database) {
  return (await listApplied(database)).map((row) => row.name)
}

const namesOf = (migrations: readonly Migration[]) => migrations.map((migration) => migration.name)

describeOnEachDatabase('The migrator', (open) => {
  it('brings an empty database up to date and remembers when', async () => {
    const database = await open({ clock: createFakeClock() })
    expect(await listApplied(database)).toEqual(MIGRATIONS.map(({ name }) => ({ name, appliedAt: FAKE_START })))
    expect(await listTableNames(database.read)).toEqual(expect.arrayContaining(['accounts', 'generations', 'jobs']))
  })

  it('applies to an older database only what is new, and keeps its rows', async () => {
    const older = await open()
    await older.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    await older.close()
    const newer = await open({ migrations: EXTRA_MIGRATIONS })
    expect(await listNames(newer)).toEqual(namesOf(EXTRA_MIGRATIONS))
    expect(await newer.read.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'acc_1' }])
  })

  it('gives generations of the first release no inputs, and the server’s key', async () => {
    const older = await open({ migrations: MIGRATIONS.slice(0, 1) })
    await older.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_1' })
      const { inputs: _, keySource: __, webhookUrl: ___, ...row } = generationRow()
      await trx
        .insertInto('generations')
        .values(row as GenerationRow)
        .execute()
    })
    await older.close()
    const newer = await open()
    expect(await newer.read.selectFrom('generations').selectAll().execute()).toEqual([generationRow()])
  })

  it('applies each migration once when several start together', async () => {
    const calls: string[] = []
    const counted = EXTRA_MIGRATIONS.map((migration) => ({
      ...migration,
      up: (...given: Parameters<Migration['up']>) => {
        calls.push(migration.name)
        return migration.up(...given)
      },
    }))
    const databases = await Promise.all([1, 2, 3].map(() => open({ migrations: counted })))
    expect(calls).toEqual(namesOf(EXTRA_MIGRATIONS))
    for (const database of databases) expect(await listNames(database)).toEqual(calls)
  })

  it('keeps nothing of a migration that fails, and everything before it', async () => {
    const failing: Migration = {
      name: '9002-second',
      async up(trx) {
        await sql`create table "half" ("id" text)`.execute(trx)
        await sql`insert into "nowhere" values (1)`.execute(trx)
      },
    }
    await expect(open({ migrations: [...FIRST, failing] })).rejects.toThrow('nowhere')
    const mended = await open({ migrations: EXTRA_MIGRATIONS })
    expect(await listNames(mended)).toEqual(namesOf(EXTRA_MIGRATIONS))
    expect(await listTableNames(mended.read)).not.toContain('half')
  })

  it('carries on where a killed process stopped', async () => {
    const killed = await startDatabaseProcess('migrate', open.url())
    await killed.kill()
    const database = await open({ migrations: EXTRA_MIGRATIONS })
    expect(await listNames(database)).toEqual(namesOf(EXTRA_MIGRATIONS))
    expect(await listTableNames(database.read)).not.toContain('half')
  })

  it('refuses a database that a newer version has written, and changes nothing', async () => {
    await (await open({ migrations: EXTRA_MIGRATIONS })).close()
    const opening = open()
    await expect(opening).rejects.toThrow(DatabaseRefusedError)
    await expect(opening).rejects.toThrow('9001-first')
    expect(await listNames(await open({ migrations: EXTRA_MIGRATIONS }))).toEqual(namesOf(EXTRA_MIGRATIONS))
  })

  it('refuses a database whose migrations have a gap', async () => {
    await (await open({ migrations: EXTRA_MIGRATIONS })).close()
    const gap = EXTRA_MIGRATIONS.filter((migration) => migration.name !== '9001-first')
    await expect(open({ migrations: gap })).rejects.toThrow(DatabaseRefusedError)
  })

  it('leaves an older database as it is when told not to migrate', async () => {
    await (await open()).close()
    await expect(open({ migrations: EXTRA_MIGRATIONS, migrate: false })).rejects.toThrow(
      'missing: 9001-first, 9002-second',
    )
    expect(await listNames(await open({ migrate: false }))).toEqual(namesOf(MIGRATIONS))
  })

  it('refuses a database that holds tables of something else', async () => {
    const database = await open()
    await database.transact((trx) => sql`drop table "migrations"`.execute(trx))
    await database.close()
    await expect(open()).rejects.toThrow('tables that Pictor did not make')
  })
})
