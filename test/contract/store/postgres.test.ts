import { sql } from 'kysely'
import { expect, it } from 'vitest'
import type { Trx } from '../../../src/store/database.ts'
import { skipLocked } from '../../../src/store/dialect.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { describeOnPostgres } from '../../support/databases.ts'
import { createMoment } from '../../support/moment.ts'

function addTo(trx: Trx, id: string) {
  return trx
    .updateTable('accounts')
    .set((eb) => ({ balanceMicros: eb('balanceMicros', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

describeOnPostgres('A PostgreSQL database', (open) => {
  it('runs a transaction again that lost a deadlock', async () => {
    const database = await open()
    await database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_1' })
      await insertAccount(trx, { id: 'acc_2' })
    })
    const held = { acc_1: createMoment(), acc_2: createMoment() }
    let runs = 0
    const crossing = (first: keyof typeof held, second: keyof typeof held) =>
      database.transact(async (trx) => {
        runs++
        await addTo(trx, first)
        held[first].reach()
        await held[second].reached
        await addTo(trx, second)
      })
    await Promise.all([crossing('acc_1', 'acc_2'), crossing('acc_2', 'acc_1')])
    // Once more than both, or oftener: the one that lost may take the row again before the winner has woken up.
    expect(runs).toBeGreaterThan(2)
    const rows = await database.read.selectFrom('accounts').select('balanceMicros').execute()
    expect(rows.map((row) => row.balanceMicros)).toEqual([2, 2])
  })

  it('gives up a transaction that fails to serialise for the fourth time', async () => {
    const database = await open()
    let runs = 0
    const transacting = database.transact(async (trx) => {
      runs++
      await sql`do $$ begin raise exception 'no order' using errcode = '40001'; end $$`.execute(trx)
    })
    await expect(transacting).rejects.toThrow('no order')
    expect(runs).toBe(4)
  })

  it('survives the loss of a connection in the middle of a transaction', async () => {
    const database = await open()
    const inserted = createMoment()
    const goOn = createMoment()
    let pid = 0
    const cutOff = database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_lost' })
      pid = (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)).rows[0]?.pid ?? 0
      inserted.reach()
      await goOn.reached
      await insertAccount(trx, { id: 'acc_more' })
    })
    const refused = expect(cutOff).rejects.toThrow()
    await inserted.reached
    await sql`select pg_terminate_backend(${pid}, 5000)`.execute(database.read)
    goOn.reach()
    await refused
    await database.transact((trx) => insertAccount(trx, { id: 'acc_next' }))
    expect(await database.read.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'acc_next' }])
  })

  it('passes over rows that another transaction has locked', async () => {
    const database = await open()
    await database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_1' })
      await insertAccount(trx, { id: 'acc_2' })
    })
    const claim = (trx: Trx) =>
      skipLocked(trx.selectFrom('accounts').select('id').orderBy('id').limit(1), 'postgres').executeTakeFirst()
    const claimed = createMoment()
    const goOn = createMoment()
    const first = database.transact(async (trx) => {
      const row = await claim(trx)
      claimed.reach()
      await goOn.reached
      return row
    })
    await claimed.reached
    expect(await database.transact(claim)).toEqual({ id: 'acc_2' })
    goOn.reach()
    expect(await first).toEqual({ id: 'acc_1' })
  })

  it('is not fit for use when the server takes no writes', async () => {
    await (await open()).check()
    const url = new URL(open.url())
    url.searchParams.set('options', '-c default_transaction_read_only=on')
    const standby = await open({ url: url.href, migrate: false })
    await expect(standby.check()).rejects.toThrow('can be read but not written')
  })

  it('says who it is to the server, and limits what hangs', async () => {
    const database = await open({ transactionLimitMs: 4_000 })
    const setting = (name: string) => sql<string>`current_setting(${name})`
    const { rows } = await sql`
      select ${setting('application_name')} as "name", ${setting('statement_timeout')} as "statement",
        ${setting('idle_in_transaction_session_timeout')} as "idle"`.execute(database.read)
    expect(rows).toEqual([{ name: 'pictor', statement: '30s', idle: '8s' }])
  })

  it('refuses a schema name that would have to be quoted', async () => {
    const url = new URL(open.url())
    url.searchParams.set('schema', 'x; drop table accounts')
    await expect(open({ url: url.href })).rejects.toThrow('not a plain name')
  })
})
