import { copyFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteConnection from 'better-sqlite3'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, type OpenDatabaseOptions, openDatabase } from '../../../src/store/database.ts'
import { DatabaseRefusedError } from '../../../src/store/store-errors.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { startDatabaseProcess } from '../../support/child-process.ts'
import { EXTRA_MIGRATIONS } from '../../support/migrations.ts'

let directory: string
let path: string
const opened: Database[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pictor-test-'))
  path = join(directory, 'pictor.db')
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()))
  await rm(directory, { recursive: true, force: true })
})

async function open(options: Partial<OpenDatabaseOptions> = {}): Promise<Database> {
  const database = await openDatabase({ url: `sqlite:${path}`, ...options })
  opened.push(database)
  return database
}

async function makeDatabase(options: Partial<OpenDatabaseOptions> = {}): Promise<Buffer> {
  const database = await open(options)
  await database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
  await database.close()
  return readFile(path)
}

/** What is there after a refusal has the same bytes as before it. */
async function expectRefusal(before: Buffer, words: string | RegExp, options: Partial<OpenDatabaseOptions> = {}) {
  const refusal = await open(options).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(DatabaseRefusedError)
  expect(refusal).toHaveProperty('message', expect.stringMatching(words))
  expect(before.equals(await readFile(path))).toBe(true)
}

describe('A SQLite file', () => {
  it('is made with its directory, for its owner alone', async () => {
    path = join(directory, 'new', 'data', 'pictor.db')
    const database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    const modeOf = async (name: string) => ((await stat(name)).mode & 0o777).toString(8)
    expect(await modeOf(join(directory, 'new'))).toBe('700')
    expect(await modeOf(join(directory, 'new', 'data'))).toBe('700')
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(await modeOf(file)).toBe('600')
  })

  it('is alone in its directory after a clean end', async () => {
    await makeDatabase()
    await makeDatabaseAgain()
    expect(await readdir(directory)).toEqual(['pictor.db'])
  })

  it('is not made when it must exist', async () => {
    await expect(open({ mustExist: true })).rejects.toThrow(`There is no database at ${path}.`)
    expect(await readdir(directory)).toEqual([])
  })

  it.each([
    ['a server has worked on it', '.lock', ''],
    ['what was committed last is left', '-wal', 'frames'],
  ])('is not made anew where it is gone and %s', async (_, ending, text) => {
    await writeFile(path + ending, text)
    await expect(open()).rejects.toThrow(`${path} is gone: ${path}${ending} beside it`)
    expect(await readdir(directory)).toEqual([`pictor.db${ending}`])
    expect(await readFile(path + ending, 'utf8')).toBe(text)
  })

  it('is refused when it is empty and its log is not, and left as it is', async () => {
    await writeFile(path, '')
    await writeFile(`${path}-wal`, 'frames')
    await expectRefusal(Buffer.alloc(0), 'is gone')
  })

  it('is refused when it is no database, and left as it is', async () => {
    await writeFile(path, 'Dear diary, '.repeat(1000))
    await expectRefusal(await readFile(path), 'is damaged or is no SQLite database')
    expect(await readdir(directory)).toEqual(['pictor.db'])
  })

  it('is refused when pages of it are damaged, and left as it is', async () => {
    const bytes = await makeDatabase()
    bytes.fill(0xa5, 3 * 4096, 12 * 4096)
    await writeFile(path, bytes)
    await expectRefusal(bytes, 'is damaged')
  })

  it('is refused when it was cut short, and left as it is', async () => {
    const bytes = await makeDatabase()
    await truncate(path, bytes.length - 5 * 4096)
    await expectRefusal(await readFile(path), 'is damaged')
  })

  it('is refused when a newer version has written it, and left as it is', async () => {
    await expectRefusal(await makeDatabase({ migrations: EXTRA_MIGRATIONS }), 'a newer version has written it')
  })

  it("is refused when it is another program's, and left as it is", async () => {
    const foreign = new SqliteConnection(path)
    foreign.exec('create table notes (text)')
    foreign.close()
    await expectRefusal(await readFile(path), 'tables that Pictor did not make \\(notes\\)')
  })

  it('is refused when its schema is older and must not be changed, and left as it is', async () => {
    await expectRefusal(await makeDatabase(), 'missing: 9001-first', { migrations: EXTRA_MIGRATIONS, migrate: false })
  })

  it('is copied before its schema changes, once', async () => {
    await makeDatabase()
    await (await open({ migrations: EXTRA_MIGRATIONS })).close()
    await (await open({ migrations: EXTRA_MIGRATIONS })).close()
    expect(await readdir(directory)).toEqual(['pictor.db', 'pictor.db.before-9001-first'])
    path = `${path}.before-9001-first`
    expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600')
    const copy = await open({ migrate: false })
    expect(await copy.read.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'acc_1' }])
  })

  it('opens from the file and its log alone, as a killed process leaves them', async () => {
    const database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    const copy = join(directory, 'copy.db')
    await copyFile(path, copy)
    await copyFile(`${path}-wal`, `${copy}-wal`)
    path = copy
    const recovered = await open()
    expect(await recovered.read.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'acc_1' }])
  })

  it('is written through to the disk at every commit', async () => {
    const database = await open()
    const settings = await database.transact(async (trx) => ({
      ...(await sql<object>`pragma journal_mode`.execute(trx)).rows[0],
      ...(await sql<object>`pragma synchronous`.execute(trx)).rows[0],
      ...(await sql<object>`pragma foreign_keys`.execute(trx)).rows[0],
    }))
    expect(settings).toEqual({ journal_mode: 'wal', synchronous: 2, foreign_keys: 1 })
  })

  it('cannot be written by the connection for reads', async () => {
    const database = await open()
    await expect(sql`delete from "accounts"`.execute(database.read)).rejects.toThrow('readonly')
  })

  it('is a temporary one for sqlite::memory:', async () => {
    const first = await openDatabase({ url: 'sqlite::memory:' })
    const second = await openDatabase({ url: 'sqlite::memory:' })
    opened.push(first, second)
    await first.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    expect(await first.read.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'acc_1' }])
    expect(await second.read.selectFrom('accounts').select('id').execute()).toEqual([])
  })
})

describe('The lock of a SQLite file', () => {
  it('keeps a second server out and says who is meant', async () => {
    await open({ exclusive: true })
    const refusal = open({ exclusive: true })
    await expect(refusal).rejects.toThrow(DatabaseRefusedError)
    await expect(refusal).rejects.toThrow(`Another Pictor server is using ${path}`)
  })

  it('lets a command line tool write beside the server', async () => {
    const server = await open({ exclusive: true })
    const tool = await open({ exclusive: false })
    await tool.transact((trx) => insertAccount(trx, { id: 'acc_tool' }))
    await server.transact((trx) => insertAccount(trx, { id: 'acc_server' }))
    expect(await server.read.selectFrom('accounts').select('id').orderBy('id').execute()).toHaveLength(2)
  })

  it('is free after a close', async () => {
    await (await open({ exclusive: true })).close()
    await expect(open({ exclusive: true })).resolves.toBeDefined()
  })

  it('is free after a refusal', async () => {
    const bytes = await makeDatabase({ migrations: EXTRA_MIGRATIONS })
    await expectRefusal(bytes, 'newer', { exclusive: true })
    await expect(open({ exclusive: true, migrations: EXTRA_MIGRATIONS })).resolves.toBeDefined()
  })

  it('goes with a killed process', async () => {
    const server = await startDatabaseProcess('hold', `sqlite:${path}`)
    try {
      await expect(open({ exclusive: true })).rejects.toThrow('Another Pictor server')
    } finally {
      await server.kill()
    }
    await expect(open({ exclusive: true })).resolves.toBeDefined()
  })
})

async function makeDatabaseAgain(): Promise<void> {
  const database = await open()
  await database.check()
  await database.close()
}
