import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteConnection from 'better-sqlite3'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Trx } from '../../../src/store/database.ts'
import { createSqliteWriter, type SqliteWriter } from '../../../src/store/sqlite-writer.ts'
import { StuckTransactionError } from '../../../src/store/store-errors.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { createMoment } from '../../support/moment.ts'

let directory: string
let connection: SqliteConnection.Database
let other: SqliteConnection.Database
let writer: SqliteWriter
let clock: FakeClock
let statements: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pictor-test-'))
  const path = join(directory, 'writer.db')
  statements = []
  clock = createFakeClock()
  connection = new SqliteConnection(path, { verbose: (text) => statements.push(String(text)), timeout: 0 })
  connection.pragma('journal_mode = wal')
  connection.exec(
    'create table words (word text primary key, parent text references words deferrable initially deferred)',
  )
  other = new SqliteConnection(path, { timeout: 0 })
  writer = createSqliteWriter({ connection, clock, limitMs: 10_000 })
})
afterEach(async () => {
  await writer.close()
  connection.close()
  other.close()
  await rm(directory, { recursive: true, force: true })
})

const insert =
  (word: string, parent: string | null = null) =>
  (trx: Trx) =>
    sql`insert into words values (${word}, ${parent})`.execute(trx)

const listWords = () => other.prepare('select word from words order by word').pluck().all()
const count = (statement: string) => statements.filter((text) => text === statement).length
const numberedWords = (length: number) => Array.from({ length }, (_, index) => `w${String(index).padStart(3, '0')}`)

describe('Group commit', () => {
  it('ends works that wait at the same time with one commit', async () => {
    const words = numberedWords(32)
    await Promise.all(words.map((word) => writer.transact(insert(word))))
    expect(listWords()).toEqual(words)
    expect([count('begin immediate'), count('commit')]).toEqual([1, 1])
  })

  it('takes at most 64 works into one commit', async () => {
    await Promise.all(numberedWords(130).map((word) => writer.transact(insert(word))))
    expect(listWords()).toHaveLength(130)
    expect(count('commit')).toBe(3)
  })

  it('runs one work at a time, in the order of asking', async () => {
    const log: string[] = []
    await Promise.all(
      numberedWords(5).map((word) =>
        writer.transact(async (trx) => {
          log.push(`${word} begins`)
          await insert(word)(trx)
          await new Promise((resolve) => setImmediate(resolve))
          log.push(`${word} ends`)
        }),
      ),
    )
    expect(log).toEqual(numberedWords(5).flatMap((word) => [`${word} begins`, `${word} ends`]))
  })

  it('settles nobody before the common commit, those that failed included', async () => {
    const seen: unknown[] = []
    const look = () => seen.push(listWords())
    const goOn = createMoment()
    const works = [
      writer.transact(insert('kept')).then(look),
      writer.transact(insert('kept')).catch(look),
      writer.transact(async () => goOn.reached).then(look),
    ]
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(seen).toEqual([])
    goOn.reach()
    await Promise.all(works)
    expect(seen).toEqual([['kept'], ['kept'], ['kept']])
  })

  it('rejects the whole batch when the commit fails, keeps nothing of it and goes on', async () => {
    const settled = await Promise.allSettled([
      writer.transact(insert('fine')),
      writer.transact(insert('orphan', 'missing')),
      writer.transact(async () => 'nothing'),
    ])
    expect(settled.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(settled).toEqual(
      settled.map(() => ({
        status: 'rejected',
        reason: expect.objectContaining({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' }),
      })),
    )
    expect(listWords()).toEqual([])
    await writer.transact(insert('next'))
    expect(listWords()).toEqual(['next'])
  })

  it('loses with a rollback of SQLite itself only the works that ran before it', async () => {
    const late: unknown[] = []
    const rolledBack = async (trx: Trx) => {
      await sql`insert or rollback into words values ('first', null)`.execute(trx).catch(() => undefined)
      await insert('outside')(trx).catch((error: unknown) => late.push(error))
      throw new Error('gone')
    }
    const settled = await Promise.allSettled([
      writer.transact(insert('first')),
      writer.transact(rolledBack),
      writer.transact(insert('after')),
    ])
    expect(settled.map((result) => result.status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    expect(late).toEqual([new Error('The database rolled this transaction back.')])
    expect(listWords()).toEqual(['after'])
  })

  it('ends a work that never settles after its limit and lets the others of its batch through', async () => {
    const works = Promise.allSettled([
      writer.transact(insert('before')),
      writer.transact(async (trx) => {
        await insert('stuck')(trx)
        await new Promise(() => undefined)
      }),
      writer.transact(insert('behind')),
    ])
    await clock.advance(10_000)
    const [before, stuck, behind] = await works
    expect([before.status, behind.status]).toEqual(['fulfilled', 'fulfilled'])
    expect(stuck).toEqual({ status: 'rejected', reason: expect.any(StuckTransactionError) })
    expect(listWords()).toEqual(['before', 'behind'])
  })

  it('ends a transaction inside of a transaction the same way', async () => {
    const nested = writer.transact(() => writer.transact(insert('inner')))
    const refused = expect(nested).rejects.toThrow(StuckTransactionError)
    await clock.advance(10_000)
    await refused
  })

  it('asks the clock for nothing when works do what they should', async () => {
    await writer.transact(insert('quick'))
    expect(clock.sleepers()).toBe(0)
  })
})

describe('The write lock of another process', () => {
  it('is waited for without blocking', async () => {
    other.exec('begin immediate')
    const transacting = writer.transact(insert('patient'))
    await vi.waitFor(() => expect(clock.sleepers()).toBe(1))
    other.exec('commit')
    await clock.advance(10)
    await transacting
    expect(listWords()).toEqual(['patient'])
  })

  it('is waited for no longer than five seconds', async () => {
    other.exec('begin immediate')
    const refused = expect(writer.transact(insert('patient'))).rejects.toThrow('locked')
    await clock.advance(5_010)
    await refused
    other.exec('commit')
    await writer.transact(insert('next'))
    expect(listWords()).toEqual(['next'])
  })
})
