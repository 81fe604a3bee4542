import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { print } from 'graphql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GenerationDocument, ImageStatusDocument } from '../../schema/generated/operations.ts'
import { follow, generate, quick } from '../support/generating.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import { openRawSocket, type RawSocket } from '../support/raw-websocket.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { expectWholeStory, kindsOf } from '../support/watch-client.ts'

let dataDir: string
let server: ServerProcess

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pictor-chaos-'))
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
})

async function start(drainSeconds: number) {
  server = await startServerProcess({ PICTOR_DATA_DIR: dataDir, PICTOR_DRAIN_SECONDS: String(drainSeconds) })
  return createGraphqlClient({ url: server.url })
}

async function openWatcher(id: string): Promise<RawSocket> {
  const socket = await openRawSocket(server.wsUrl)
  await socket.init({})
  socket.send({ type: 'subscribe', id: '1', payload: { query: print(ImageStatusDocument), variables: { id } } })
  return socket
}

/** Reads until the attempt runs at the provider: from there on a restart goes on with it. */
const isUnderWay = (event: { kind: string }) => event.kind === 'PROGRESS'

describe('SIGTERM', () => {
  it('F2 takes nothing new, lets what runs finish, sends watchers away with 1012 and exits with 0', async () => {
    const client = await start(20)
    const { generation } = await generate(client, quick('delay=1500 steps=10'))
    const watcher = await openWatcher(generation.id)
    await follow(client, generation.id, isUnderWay)
    const exit = server.kill('SIGTERM')
    expect((await watcher.closed).code).toBe(1012)
    await expect(openRawSocket(server.wsUrl)).rejects.toThrow()
    expect(await exit).toBe(0)
    const ended = server.lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'Attempt ended')
    expect(ended).toMatchObject({ generation: generation.id, status: 'COMPLETED' })

    await server.restart()
    const events = await follow(client, generation.id)
    expectWholeStory(events)
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
  })

  it('F2 lets go of what does not finish in time, and the next start goes on with it', async () => {
    const client = await start(0)
    const { generation } = await generate(client, quick('delay=3000 steps=30'))
    const { generation: waiting } = await generate(client, quick('delay=0', { priority: 'LOW' }))
    const watcher = await openWatcher(generation.id)
    await follow(client, generation.id, isUnderWay)
    const exit = server.kill('SIGTERM')
    expect((await watcher.closed).code).toBe(1012)
    expect(await exit).toBe(0)

    await server.restart()
    for (const { id } of [generation, waiting]) {
      const events = await follow(client, id)
      expectWholeStory(events)
      expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
    }
    const { generation: resumed } = await client.run(GenerationDocument, { id: generation.id })
    expect(resumed).toMatchObject({ attempts: [{ number: 1, outcome: 'SUCCEEDED' }], problems: [] })
  })
})
