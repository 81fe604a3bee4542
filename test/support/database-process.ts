import { sql } from 'kysely'
import { openDatabase } from '../../src/store/database.ts'
import type { Migration } from '../../src/store/migrations/migration.ts'
import { EXTRA_MIGRATIONS } from './migrations.ts'

/**
 * A process for tests to kill: `node database-process.ts hold|migrate|write <url>` writes a line when it is where it is
 * wanted, and stays there.
 */
const [, , task, url = ''] = process.argv

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Keeps the process alive: a promise alone does not. */
function stay(): Promise<never> {
  return new Promise(() => setInterval(() => undefined, 60_000))
}

const endless: Migration = {
  name: '9002-second',
  async up(trx) {
    await sql`create table "half" ("id" text)`.execute(trx)
    say('half-way')
    await stay()
  },
}

if (task === 'hold') {
  await openDatabase({ url, exclusive: true })
  say('held')
  await stay()
}
if (task === 'migrate') {
  await openDatabase({ url, migrations: [...EXTRA_MIGRATIONS.slice(0, -1), endless], transactionLimitMs: 60_000 })
}
if (task === 'write') {
  const database = await openDatabase({ url, migrate: false })
  const rename = (time: number) =>
    database.transact((trx) =>
      trx
        .updateTable('accounts')
        .set({ name: `Time ${time}` })
        .execute(),
    )
  await rename(0)
  say('writes')
  for (let time = 1; ; time++) await rename(time)
}
