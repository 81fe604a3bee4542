import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { mountSmallDisk } from './small-disk.ts'

/** Services that some tests need: why one cannot be used, or null. Tests get it by `inject('obstacles')`. */
export type Obstacles = {
  readonly postgres: string | null
  readonly redis: string | null
  /** The program, for a Redis of a test's own. */
  readonly redisServer: string | null
  readonly chromium: string | null
  /** To mount a disk of some megabytes. */
  readonly disk: string | null
}

declare module 'vitest' {
  interface ProvidedContext {
    obstacles: Obstacles
  }
}

export const POSTGRES_URL = process.env.PICTOR_TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
export const REDIS_URL = process.env.PICTOR_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'
export const REDIS_SERVER = process.env.PICTOR_TEST_REDIS_SERVER ?? 'redis-server'
export const CHROMIUM_PATH = process.env.PICTOR_TEST_CHROMIUM ?? '/usr/bin/chromium'

/**
 * Runs once before all tests. A service that is not there skips the tests that need it, which one line says;
 * with PICTOR_TEST_REQUIRE=all nothing is skipped, and those tests fail by what they run into.
 */
export async function setup(project: TestProject): Promise<void> {
  if (process.env.PICTOR_TEST_REQUIRE === 'all')
    return project.provide('obstacles', {
      postgres: null,
      redis: null,
      redisServer: null,
      chromium: null,
      disk: null,
    })
  const [postgres, redis, redisServer, chromium, disk] = await Promise.all([
    findPostgresObstacle(),
    findRedisObstacle(),
    findRedisServerObstacle(),
    findChromiumObstacle(),
    findDiskObstacle(),
  ])
  if (postgres) process.stderr.write(`Skipping tests that need PostgreSQL, which does not answer: ${postgres}\n`)
  if (redis) process.stderr.write(`Skipping tests that need Redis, which does not answer: ${redis}\n`)
  if (redisServer) process.stderr.write(`Skipping tests that need a Redis of their own: ${redisServer}\n`)
  if (chromium) process.stderr.write(`Skipping tests that need Chromium: ${chromium}\n`)
  if (disk) process.stderr.write(`Skipping tests that need a small disk, which cannot be mounted: ${disk}\n`)
  project.provide('obstacles', { postgres, redis, redisServer, chromium, disk })
}

async function findPostgresObstacle(): Promise<string | null> {
  const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 3_000 })
  try {
    await client.connect()
    await client.end()
    return null
  } catch (error) {
    return error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)
  }
}

async function findRedisObstacle(): Promise<string | null> {
  const client = new Redis(REDIS_URL, { lazyConnect: true, connectTimeout: 3_000, retryStrategy: () => null })
  let fault: string | null = null
  client.on('error', (error) => {
    fault = error.message || String(error)
  })
  try {
    await client.connect()
    await client.ping()
    return null
  } catch (error) {
    return fault ?? String(error)
  } finally {
    client.disconnect()
  }
}

async function findRedisServerObstacle(): Promise<string | null> {
  try {
    await promisify(execFile)(REDIS_SERVER, ['--version'])
    return null
  } catch {
    return `${REDIS_SERVER} cannot be run`
  }
}

async function findChromiumObstacle(): Promise<string | null> {
  try {
    await access(CHROMIUM_PATH, constants.X_OK)
    return null
  } catch {
    return `there is none at ${CHROMIUM_PATH}`
  }
}

async function findDiskObstacle(): Promise<string | null> {
  try {
    const disk = await mountSmallDisk(1)
    await disk[Symbol.asyncDispose]()
    return null
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error)
  }
}
