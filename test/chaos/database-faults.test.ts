import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import SqliteConnection from 'better-sqlite3'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import {
  GenerateImageDocument,
  type GenerateImageInput,
  GenerationDocument,
  HistoryDocument,
} from '../../schema/generated/operations.ts'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { startDatabaseProcess } from '../support/child-process.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { follow, generate, make, QUICK, quick } from '../support/generating.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createRecordingLogger } from '../support/recording-logger.ts'
import { mountSmallDisk } from '../support/small-disk.ts'
import { PRICED_PAINTER, startApp, type TestApp } from '../support/start-app.ts'
import { expectWholeStory } from '../support/watch-client.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

async function expectOrder({ app }: TestApp): Promise<void> {
  const { database, storage, clock } = app.foundations
  await assertInvariants(database, storage, { now: clock.now() })
}

/** Refused in words that say to come again, and nothing made of it. */
async function expectLater(server: TestApp, input: GenerateImageInput): Promise<void> {
  const before = await countGenerations(server)
  const { status, headers, errors } = await server.client.ask(GenerateImageDocument, { input })
  expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE', retryAfterMs: 1_000 } }])
  expect([status, headers.get('retry-after')]).toEqual([503, '1'])
  expect(await countGenerations(server)).toBe(before)
}

async function countGenerations({ client }: TestApp): Promise<number> {
  return (await client.run(HistoryDocument, { first: 100 })).history.edges.length
}

describe('a database that another program locks', () => {
  it('F20 is waited for; after five seconds a request is to be tried again, and reads go on all the while', async ({
    task,
  }) => {
    await using server = await startApp({ models: [PRICED_PAINTER], clock: createFastClock(20), leaseMs: 6_000_000 })
    const other = new SqliteConnection(join(server.dataDir, 'pictor.db'))
    onTestFinished(() => void other.close())
    const running = await generate(server.client, quick('delay=10000 steps=4'))

    const lag = monitorEventLoopDelay({ resolution: 5 })
    lag.enable()
    other.exec('begin immediate')
    await expectLater(server, { ...QUICK, idempotencyKey: 'k' })
    other.exec('rollback')
    lag.disable()
    // To wait for the lock inside of a statement would stop the process for as long as it waits.
    expect(lag.max / 1e6).toBeLessThan(1_000)
    task.meta.figures = `the event loop stood still for ${Math.round(lag.max / 1e6)} ms at most`

    other.exec('begin immediate')
    const asking = generate(server.client, { ...QUICK, idempotencyKey: 'k' })
    expect(await countGenerations(server)).toBe(1)
    other.exec('rollback')
    const { generation, replayed } = await asking
    expect(replayed).toBe(false)
    for (const { id } of [running.generation, generation]) expectWholeStory(await follow(server.client, id))
    await expectOrder(server)
  })

  it('F21 gives each job to one claim while another process writes without a pause', async () => {
    await using server = await startApp({ models: [PRICED_PAINTER] })
    const writer = await startDatabaseProcess('write', `sqlite:${join(server.dataDir, 'pictor.db')}`)
    onTestFinished(() => writer.kill())
    const ordered = await Promise.all(Array.from({ length: 40 }, () => generate(server.client, QUICK)))
    for (const { generation } of ordered) {
      expectWholeStory(await follow(server.client, generation.id))
      const ended = (await server.client.run(GenerationDocument, { id: generation.id })).generation
      expect(ended).toMatchObject({ status: 'COMPLETED', attempts: [{ number: 1 }] })
    }
    writer.kill()
    await expectOrder(server)
  })
})

describe.skipIf(inject('obstacles').disk)('a disk', () => {
  it('F22 that is full takes nothing new and loses nothing: reads go on, and what is paid for waits for room', async () => {
    await using disk = await mountSmallDisk(24)
    await using wire = await startWireServer(PLAYED_VENDORS.flux.create)
    const logger = createRecordingLogger()
    const env = { PICTOR_DATA_DIR: disk.path, ...PLAYED_VENDORS.flux.environment(wire.origin, 'a-key') }
    await using server = await startApp({ models: [PRICED_PAINTER], logger, env })
    const { client } = server
    const first = await make(client, QUICK)
    wire.script('ok held=job')
    const { generation } = await generate(client, { prompt: 'a red fox in snow', model: 'flux/flux-1.1-pro' })
    await wire.until(({ path }) => path === '/v1/get_result')

    disk.fill()
    const input = { ...QUICK, idempotencyKey: 'k' }
    await expectLater(server, input)
    const read = await client.run(GenerationDocument, { id: first.id })
    expect((await fetch(read.generation?.images[0]?.url ?? '')).status).toBe(200)
    expect((await fetch(`${server.origin}/readyz`)).status).toBe(503)
    wire.release()
    await logger.said('A picture waits for its storage')
    await disk.free()

    expectWholeStory(await follow(client, generation.id))
    const ended = (await client.run(GenerationDocument, { id: generation.id })).generation
    expect(ended).toMatchObject({ status: 'COMPLETED', attempts: [{ number: 1 }], problems: [] })
    expect(wire.billable).toHaveLength(1)
    expect((await generate(client, input)).replayed).toBe(false)
    expect((await fetch(`${server.origin}/readyz`)).status).toBe(200)
    await make(client, QUICK)
    await expectOrder(server)
  })

  it('F23 that is read-only keeps a server from starting, with a word on what to do', async () => {
    await using disk = await mountSmallDisk(8)
    await makeDatabase(disk.path)
    await disk.makeReadOnly()
    await expect(start(disk.path)).rejects.toThrow(
      /pictor\.db cannot be written \(.*neither full nor mounted read-only/s,
    )
  })
})

function start(dataDir: string) {
  return createApp(readConfig({ PORT: '0', PICTOR_DATA_DIR: dataDir }), { logger: createRecordingLogger() })
}

async function makeDatabase(dataDir: string): Promise<string> {
  const app = await start(dataDir)
  await app.start()
  await app.stop()
  return join(dataDir, 'pictor.db')
}

describe('a database file', () => {
  it('F23 that was deleted is not made anew over what is left of it', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pictor-gone-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    await rm(await makeDatabase(dataDir))
    const before = await readdir(dataDir)
    await expect(start(dataDir)).rejects.toThrow('pictor.db is gone')
    expect(await readdir(dataDir)).toEqual(before)
  })

  it('F23 that is taken away from a running server takes nothing more, and goes on when it is back', async () => {
    await using server = await startApp({ models: [PRICED_PAINTER] })
    const path = join(server.dataDir, 'pictor.db')
    await make(server.client, QUICK)
    await rename(path, `${path}.aside`)
    await expectLater(server, QUICK)
    expect((await fetch(`${server.origin}/readyz`)).status).toBe(503)
    // Another file of that name is not the one that was opened.
    await writeFile(path, '')
    await expectLater(server, QUICK)
    await rename(`${path}.aside`, path)
    expect((await fetch(`${server.origin}/readyz`)).status).toBe(200)
    await make(server.client, QUICK)
    await expectOrder(server)
  })

  it('F23 with a broken header is refused and left as it is', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pictor-broken-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    const path = await makeDatabase(dataDir)
    const bytes = await readFile(path)
    bytes.fill(0xa5, 0, 100)
    await writeFile(path, bytes)
    await expect(start(dataDir)).rejects.toThrow('pictor.db is damaged or is no SQLite database')
    expect(bytes.equals(await readFile(path))).toBe(true)
  })
})
