import { sql } from 'kysely'
import { expect, it, vi } from 'vitest'
import type { Database, Trx } from '../../../src/store/database.ts'
import { lockAccountFeed } from '../../../src/store/dialect.ts'
import { StuckTransactionError } from '../../../src/store/store-errors.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createMoment } from '../../support/moment.ts'

function listIds(database: Database) {
  return database.read
    .selectFrom('accounts')
    .select('id')
    .orderBy('id')
    .execute()
    .then((rows) => rows.map((row) => row.id))
}

describeOnEachDatabase('A transaction', (open) => {
  it('resolves with what the work returned', async () => {
    const database = await open()
    await expect(database.transact(async () => 42)).resolves.toBe(42)
  })

  it('rolls back and rejects with the error of the work', async () => {
    const database = await open()
    const refusal = new Error('refused')
    const transacting = database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_1' })
      throw refusal
    })
    await expect(transacting).rejects.toBe(refusal)
    expect(await listIds(database)).toEqual([])
  })

  it('is rolled back when a work throws before its first statement', async () => {
    const database = await open()
    const transacting = database.transact(() => {
      throw new Error('at once')
    })
    await expect(transacting).rejects.toThrow('at once')
    await expect(database.transact(async () => 'next')).resolves.toBe('next')
  })

  it('fails alone among many that run at the same time', async () => {
    const database = await open()
    const settled = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        database.transact(async (trx) => {
          await insertAccount(trx, { id: `acc_${String(index).padStart(2, '0')}` })
          if (index % 4 === 0) throw new Error(`number ${index}`)
          if (index % 4 === 1) await sql`select * from "nowhere"`.execute(trx)
          return index
        }),
      ),
    )
    const kept = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(kept).toEqual(Array.from({ length: 40 }, (_, index) => index).filter((index) => index % 4 > 1))
    expect(await listIds(database)).toEqual(kept.map((index) => `acc_${String(index).padStart(2, '0')}`))
  })

  it('loses no update of one row', async () => {
    const database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    const add = (trx: Trx) =>
      trx
        .updateTable('accounts')
        .set((eb) => ({ balanceMicros: eb('balanceMicros', '+', 1) }))
        .returning('balanceMicros')
        .executeTakeFirstOrThrow()
    const seen = await Promise.all(Array.from({ length: 100 }, () => database.transact(add)))
    expect(seen.map((row) => row.balanceMicros).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    )
  })

  it('lets one of a hundred through a guard that has room for one', async () => {
    const database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1', balanceMicros: 10 }))
    const hold = (trx: Trx) =>
      trx
        .updateTable('accounts')
        .set((eb) => ({ heldMicros: eb('heldMicros', '+', 10) }))
        .where((eb) => eb(eb('balanceMicros', '-', eb.ref('heldMicros')), '>=', 10))
        .executeTakeFirst()
    const results = await Promise.all(Array.from({ length: 100 }, () => database.transact(hold)))
    expect(results.filter((result) => result.numUpdatedRows === 1n)).toHaveLength(1)
  })

  it('is committed when it resolves: another connection reads it', async () => {
    const database = await open()
    const other = await open()
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const id = `acc_${index}`
        await database.transact((trx) => insertAccount(trx, { id }))
        expect(await listIds(other)).toContain(id)
      }),
    )
  })

  it('is not seen before its commit, and holds up no reader', async () => {
    const database = await open()
    const inserted = createMoment()
    const readers = createMoment()
    const transacting = database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_1' })
      inserted.reach()
      await readers.reached
    })
    await inserted.reached
    expect(await listIds(database)).toEqual([])
    readers.reach()
    await transacting
    expect(await listIds(database)).toEqual(['acc_1'])
  })

  it('refuses statements after its end', async () => {
    const database = await open()
    const kept = await database.transact(async (trx) => ({ trx }))
    await expect(insertAccount(kept.trx, { id: 'acc_late' })).rejects.toThrow()
    expect(await listIds(database)).toEqual([])
  })

  it('is rolled back after its time limit, and its later statements change nothing', async () => {
    const clock = createFakeClock()
    const database = await open({ clock, transactionLimitMs: 10_000 })
    const inserted = createMoment()
    const goOn = createMoment()
    const late = createMoment()
    const stuck = database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_stuck' })
      inserted.reach()
      await goOn.reached
      await insertAccount(trx, { id: 'acc_late' }).finally(late.reach)
    })
    const refused = expect(stuck).rejects.toThrow(StuckTransactionError)
    const next = inserted.reached.then(() => database.transact((trx) => insertAccount(trx, { id: 'acc_next' })))
    await inserted.reached
    await clock.advance(9_999)
    expect(await listIds(database)).not.toContain('acc_stuck')
    await clock.advance(1)
    await refused
    await next
    goOn.reach()
    await late.reached
    expect(await listIds(database)).toEqual(['acc_next'])
  })

  it('keeps the positions of one account in the order of commits', async () => {
    const database = await open()
    const ended: string[] = []
    const appended = createMoment()
    const goOn = createMoment()
    const append = (generationId: string, afterwards: Promise<void>) =>
      database
        .transact(async (trx) => {
          await lockAccountFeed(trx, 'acc_1')
          await insertEvent(trx, generationId)
          appended.reach()
          await afterwards
        })
        .then(() => ended.push(generationId))
    const first = append('gen_1', goOn.reached)
    await appended.reached
    const second = append('gen_2', Promise.resolve())
    await waitForLock(database)
    goOn.reach()
    await Promise.all([first, second])
    const rows = await database.read.selectFrom('events').select('generationId').orderBy('position').execute()
    expect(rows.map((row) => row.generationId)).toEqual(['gen_1', 'gen_2'])
    expect(ended).toEqual(['gen_1', 'gen_2'])
  })
})

async function insertEvent(trx: Trx, generationId: string): Promise<void> {
  await trx
    .insertInto('events')
    .values({ generationId, accountId: 'acc_1', sequence: 1, kind: 'QUEUED', status: 'QUEUED', at: 0 })
    .execute()
}

/** On SQLite the second work does not even start. */
async function waitForLock({ dialect, read }: Database): Promise<void> {
  if (dialect === 'sqlite') return
  await vi.waitFor(async () => {
    const { rows } = await sql`
      select 1 from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and not granted and query like '%pg_advisory_xact_lock%'
        and application_name = 'pictor'`.execute(read)
    expect(rows).not.toHaveLength(0)
  })
}
