import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { HistoryUpdatesDocument } from '../../schema/generated/operations.ts'
import { makePostgresPlace, type Place } from '../support/databases.ts'
import { follow, generate, make, QUICK, quick } from '../support/generating.ts'
import { assertInvariants } from '../support/invariants.ts'
import { readMetric, SOON, untilSubscribed } from '../support/metrics.ts'
import { createRecordingLogger, type RecordingLogger } from '../support/recording-logger.ts'
import { AWAY, UP } from '../support/redis-buses.ts'
import { prepareRedisProcess, type RedisProcess } from '../support/redis-process.ts'
import { type StartOptions, startApp, type TestApp } from '../support/start-app.ts'
import { expectWholeStory, kindsOf, type StatusEvent, transitionsOf } from '../support/watch-client.ts'

const NEVER = 3_600_000
/** Of a committed event, until a watcher in another process has it: two seconds are promised, and a busy machine is given its time. */
const LIMIT_MS = 5_000

const { postgres, redisServer } = inject('obstacles')

describe.skipIf(postgres ?? redisServer)('Redis', () => {
  let redis: RedisProcess
  let place: Place
  /** Makes the pictures. */
  let maker: TestApp
  /** Reads the log for no timer's sake: only when something from another process, or a new watcher, makes it. */
  let hearer: TestApp
  /** As an operator starts it. */
  let looker: TestApp
  let logger: RecordingLogger

  beforeAll(async () => {
    redis = await prepareRedisProcess()
    ;[place] = await Promise.all([makePostgresPlace(), redis.start()])
    maker = await join({ PICTOR_ROLES: 'api,worker' })
    logger = createRecordingLogger()
    hearer = await join({ PICTOR_ROLES: 'api' }, { lookMs: NEVER, logger })
    looker = await join({ PICTOR_ROLES: 'api' })
  })
  afterAll(async () => {
    await Promise.all([maker, hearer, looker].map((app) => app?.[Symbol.asyncDispose]()))
    await redis?.kill()
    await place?.remove()
  })

  /** A watcher's own look at the log after a while helps nobody here. */
  function join(env: Readonly<Record<string, string>>, options: StartOptions = {}): Promise<TestApp> {
    const shared = {
      DATABASE_URL: place.url,
      REDIS_URL: redis.url,
      PICTOR_SECRET: '0123456789abcdef0123456789abcdef',
      ...(maker && { STORAGE_URL: `file:${maker.dataDir}/images` }),
    }
    return startApp({ refreshMs: NEVER, ...options, env: { ...shared, ...env } })
  }

  async function untilUp(): Promise<void> {
    for (const { origin } of [maker, hearer, looker]) {
      await expect.poll(() => readMetric(origin, 'pictor_redis_up'), SOON).toBe(1)
    }
  }

  const said = (message: string) => logger.lines.filter((line) => line.message === message).length

  async function expectBell(): Promise<void> {
    const { generation } = await generate(maker.client, quick('delay=200 steps=4'))
    expectWholeStory(await follow(hearer.client, generation.id))
  }

  /** How long the slowest transition took to its watcher. */
  async function followInTime(app: TestApp, id: string, onEvent?: (event: StatusEvent) => void): Promise<number> {
    const delays: number[] = []
    const events = await follow(app.client, id, (event) => {
      if (transitionsOf([event]).length > 0) delays.push(Date.now() - Date.parse(event.at))
      onEvent?.(event)
      return false
    })
    expectWholeStory(events)
    const slowest = Math.max(...delays.slice(1))
    expect(slowest).toBeLessThan(LIMIT_MS)
    return slowest
  }

  /**
   * All that happens, as the hearer is told of it: passing events have no place in it and no timer fills it, so that nothing
   * but the bell, and its return, makes it look at the log.
   */
  async function openFeed() {
    const leaving = new AbortController()
    const feed = hearer.client.stream(HistoryUpdatesDocument, {}, { signal: leaving.signal })
    let next = feed.next()
    await untilSubscribed(hearer.origin, 1)
    return {
      async untilEnded(id: string): Promise<void> {
        for (;;) {
          const { value, done } = await next
          if (done) throw new Error('The feed has ended.')
          next = feed.next()
          const { generation, kind } = value.data?.historyUpdates ?? {}
          if (generation?.id === id && kind === 'COMPLETED') return
        }
      },
      async close() {
        leaving.abort()
        await next.catch(() => undefined)
        await untilSubscribed(hearer.origin, 0)
      },
    }
  }

  it('F26 that answers rings for what is committed elsewhere, and its return makes up for what it did not ring for', async () => {
    await untilUp()
    const feed = await openFeed()
    const { generation } = await generate(maker.client, QUICK)
    await feed.untilEnded(generation.id)
    await redis.kill()
    await expect.poll(() => readMetric(hearer.origin, 'pictor_redis_up'), SOON).toBe(0)
    const { id } = await make(maker.client, QUICK)
    await redis.start()
    await feed.untilEnded(id)
    await feed.close()
  })

  it('F26 that answers tells watchers in another process of each transition and of progress', async () => {
    await untilUp()
    const { generation } = await generate(maker.client, quick('delay=400 steps=4'))
    const events = await follow(hearer.client, generation.id)
    expectWholeStory(events)
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
    expect(events.filter(({ kind }) => kind === 'PROGRESS')).not.toEqual([])
  })

  it('F26 that is killed in the midst of work costs no transition, which the log then tells in time, and answers again when it is back', async ({
    task,
  }) => {
    const losses = said(AWAY)
    const { generation } = await generate(maker.client, quick('delay=1000 steps=2'))
    const waiting = follow(hearer.client, generation.id)
    let killed: Promise<void> | undefined
    const slowest = [
      await followInTime(looker, generation.id, ({ kind }) => {
        if (kind === 'STARTED') killed ??= redis.kill()
      }),
    ]
    await killed
    await expect.poll(() => said(AWAY), SOON).toBe(losses + 1)
    for (const { origin } of [maker, hearer, looker]) {
      const response = await fetch(`${origin}/readyz`)
      expect([response.status, await response.json()]).toEqual([200, { status: 'degraded' }])
    }
    const { generation: meanwhile } = await generate(maker.client, QUICK)
    slowest.push(await followInTime(looker, meanwhile.id))
    const returns = said(UP)
    await redis.start()
    await untilUp()
    expectWholeStory(await waiting)
    await expectBell()
    expect([said(AWAY), said(UP)]).toEqual([losses + 1, returns + 1])
    expect(await (await fetch(`${hearer.origin}/readyz`)).json()).toEqual({ status: 'ok' })
    task.meta.figures = `told after ${Math.max(...slowest)} ms at most`
  })

  it('F26 that stands still holds up nobody', async ({ task }) => {
    onTestFinished(() => redis.resume())
    redis.pause()
    const { generation } = await generate(maker.client, quick('delay=500 steps=2'))
    task.meta.figures = `told after ${await followInTime(looker, generation.id)} ms at most`
    redis.resume()
    await untilUp()
    await expectBell()
  })

  it('F26 that is emptied is heard as before', async () => {
    const operator = new Redis(redis.url)
    onTestFinished(() => operator.disconnect())
    await operator.flushall()
    await expectBell()
    const { database, storage } = maker.app.foundations
    await assertInvariants(database, storage)
  })

  it('F26 that is away at the start holds up neither the start nor the work, and is found when it comes', async () => {
    const late = await prepareRedisProcess()
    onTestFinished(() => late.kill())
    await using server = await startApp({ env: { REDIS_URL: late.url } })
    expect((await make(server.client, QUICK)).last).toMatchObject({ kind: 'COMPLETED' })
    expect(await readMetric(server.origin, 'pictor_redis_up')).toBe(0)
    await late.start()
    await expect.poll(() => readMetric(server.origin, 'pictor_redis_up'), SOON).toBe(1)
  })
})
