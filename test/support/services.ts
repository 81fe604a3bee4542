import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
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
  /** A store that speaks S3. */
  readonly objectStore: string | null
  /** To run the requests of documents as they stand. */
  readonly curl: string | null
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
/** Debian's own, which has its packages. */
export const PYTHON_PATH = '/usr/bin/python3'

/**
 * Runs once before all tests. A service that is not there skips the tests that need it, which one line says;
 * with PICTOR_TEST_REQUIRE=all nothing is skipped, and those tests fail by what they run into.
 */
export async function setup(project: TestProject): Promise<void> {
  const isAllRequired = process.env.PICTOR_TEST_REQUIRE === 'all'
  const found = await Promise.all(
    Object.entries(SERVICES).map(async ([name, { what, findObstacle }]) => {
      const obstacle = isAllRequired ? null : await findObstacle()
      if (obstacle !== null) process.stderr.write(`Skipping tests that need ${what}: ${obstacle}\n`)
      return [name, obstacle]
    }),
  )
  project.provide('obstacles', Object.fromEntries(found))
}

type Service = { readonly what: string; findObstacle(): Promise<string | null> }

const SERVICES: Readonly<Record<keyof Obstacles, Service>> = {
  postgres: { what: 'PostgreSQL, which does not answer', findObstacle: findPostgresObstacle },
  redis: { what: 'Redis, which does not answer', findObstacle: findRedisObstacle },
  redisServer: { what: 'a Redis of their own', findObstacle: () => findCommandObstacle(REDIS_SERVER, ['--version']) },
  chromium: { what: 'Chromium', findObstacle: findChromiumObstacle },
  disk: { what: 'a small disk, which cannot be mounted', findObstacle: findDiskObstacle },
  objectStore: { what: 'a store that speaks S3', findObstacle: findObjectStoreObstacle },
  curl: { what: 'curl', findObstacle: () => findCommandObstacle('curl', ['--version']) },
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

async function findObjectStoreObstacle(): Promise<string | null> {
  if (process.env.PICTOR_TEST_S3_URL !== undefined) return null
  const obstacle = await findCommandObstacle(PYTHON_PATH, ['-c', 'import swift, eventlet'])
  return obstacle && 'there is no OpenStack Swift (python3-swift)'
}

function findCommandObstacle(command: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(command, args, (error) => resolve(error && 'there is none'))
  })
}
