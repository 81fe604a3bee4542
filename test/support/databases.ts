import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, inject } from 'vitest'
import { type Database, type OpenDatabaseOptions, openDatabase } from '../../src/store/database.ts'
import { POSTGRES_URL } from './services.ts'

/** An empty place for one test's data, gone after it. */
export type Place = { readonly url: string; remove(): Promise<void> }

export type OpenTestDatabase = {
  (options?: Partial<OpenDatabaseOptions>): Promise<Database>
  /** Of the running test's database, for another process to open. */
  url(): string
}

/**
 * Defines the tests once for each database. Every test has a database of its own, dropped after it; `open` opens it,
 * several times when it is called several times, and what a test leaves open is closed for it.
 */
export function describeOnEachDatabase(name: string, define: (open: OpenTestDatabase) => void): void {
  describe(`${name}, on SQLite`, () => define(openInPlace(makeSqlitePlace)))
  describeOnPostgres(`${name}, on PostgreSQL`, define)
}

/** For what only PostgreSQL does. Where all databases are required, the tests run into a missing one and fail. */
export function describeOnPostgres(name: string, define: (open: OpenTestDatabase) => void): void {
  describe.skipIf(inject('obstacles').postgres)(name, () => define(openInPlace(makePostgresPlace)))
}

function openInPlace(makePlace: () => Promise<Place>): OpenTestDatabase {
  let place: Place | undefined
  const opened: Database[] = []

  beforeEach(async () => {
    place = await makePlace()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()))
    await place?.remove()
    place = undefined
  })

  function url(): string {
    if (!place) throw new Error('Open databases inside of tests and beforeEach hooks.')
    return place.url
  }
  async function open(options: Partial<OpenDatabaseOptions> = {}): Promise<Database> {
    const database = await openDatabase({ url: url(), ...options })
    opened.push(database)
    return database
  }
  return Object.assign(open, { url })
}

async function makeSqlitePlace(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'pictor-test-'))
  return {
    url: `sqlite:${join(directory, 'pictor.db')}`,
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

export async function makePostgresPlace(): Promise<Place> {
  const schema = `test_${randomBytes(8).toString('hex')}`
  await withPostgres((client) => client.query(`create schema ${schema}`))
  const url = new URL(POSTGRES_URL)
  url.searchParams.set('schema', schema)
  return {
    url: url.href,
    async remove() {
      await withPostgres((client) => client.query(`set client_min_messages = error; drop schema ${schema} cascade`))
    },
  }
}

async function withPostgres<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 3_000 })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
