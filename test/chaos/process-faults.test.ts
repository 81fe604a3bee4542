import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { GenerationDocument } from '../../schema/generated/operations.ts'
import { createLocalStorage } from '../../src/storage/local-storage.ts'
import { describeOnEachDatabase, describeOnPostgres, type OpenTestDatabase } from '../support/databases.ts'
import { follow, generate } from '../support/generating.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import { assertInvariants } from '../support/invariants.ts'
import { SOON } from '../support/metrics.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { expectWholeStory } from '../support/watch-client.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts'

const LEASE_MS = 3_000
/** A third of a lease, as a server's own is three times of what an event loop may be busy. */
const BLOCK_MS = LEASE_MS / 3
const INPUT = { prompt: 'a red fox in snow', model: 'flux/flux-1.1-pro' }
const HOUR_MS = 3_600_000
const JUMPS = [HOUR_MS, -HOUR_MS, -HOUR_MS, 10 * 365 * 24 * HOUR_MS]
const TAKEN_UP = 'Jobs whose worker was lost are taken up again'

let dataDir: string
let wire: WireServer

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pictor-process-'))
  wire = await startWireServer(PLAYED_VENDORS.flux.create)
  onTestFinished(async () => {
    await wire.close()
    await rm(dataDir, { recursive: true, force: true })
  })
})

async function start(databaseUrl: string): Promise<ServerProcess> {
  const env = { PICTOR_DATA_DIR: dataDir, DATABASE_URL: databaseUrl, PICTOR_DRAIN_SECONDS: '0' }
  const entry = { script: './fault-server.ts', args: [String(LEASE_MS)] }
  const server = await startServerProcess({ ...env, ...PLAYED_VENDORS.flux.environment(wire.origin, 'a-key') }, entry)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

const isLook = ({ path }: { readonly path: string }) => path === '/v1/get_result'
const looks = () => wire.requests.filter(isLook).length

/** So many looks at the job from now on. */
async function untilLooks(count: number): Promise<void> {
  const before = looks()
  await wire.until(() => looks() >= before + count)
}

/** A generation whose job the vendor has taken and does not finish before it is let. */
async function order(server: ServerProcess): Promise<string> {
  wire.script('ok held=job')
  const { generation } = await generate(createGraphqlClient({ url: server.url }), INPUT)
  await untilLooks(1)
  return generation.id
}

/** By whatever way it came to its end: one image, one attempt, one call that costs money. */
async function expectOne(server: ServerProcess, id: string, open: OpenTestDatabase): Promise<void> {
  const client = createGraphqlClient({ url: server.url })
  expectWholeStory(await follow(client, id))
  const { generation } = await client.run(GenerationDocument, { id })
  expect(generation).toMatchObject({ status: 'COMPLETED', attempts: [{ number: 1 }], problems: [] })
  expect(generation?.images).toHaveLength(1)
  expect(wire.billable).toHaveLength(1)
  const database = await open({ migrate: false })
  const storage = createLocalStorage({ directory: join(dataDir, 'images') })
  await assertInvariants(database, storage, { live: true })
  const images = await database.read.selectFrom('images').select('id').execute()
  expect(images).toHaveLength(1)
  await database.close()
}

describeOnEachDatabase('a server of one', (open) => {
  it('F3 that stands still for longer than its lease goes on with what it has, once', async () => {
    const server = await start(open.url())
    const id = await order(server)
    const database = await open({ migrate: false })
    server.pause()
    const leftMs = async () => {
      const { leaseExpiresAt } = await database.read.selectFrom('jobs').selectAll().executeTakeFirstOrThrow()
      return (leaseExpiresAt ?? 0) - Date.now()
    }
    await expect.poll(leftMs, SOON).toBeLessThan(0)
    server.resume()
    await untilLooks(2)
    wire.release()
    await expectOne(server, id, open)
  })

  it('F34 whose clock jumps by hours and years during a lease makes each image once', async () => {
    const server = await start(open.url())
    const id = await order(server)
    for (const jump of JUMPS) {
      await server.tell(`jump ${jump}`)
      await untilLooks(3)
    }
    wire.release()
    await expectOne(server, id, open)
  })

  it('F34 that dies while its clock is an hour ahead leaves no lease for an hour', async () => {
    const server = await start(open.url())
    await server.tell(`jump ${HOUR_MS}`)
    const id = await order(server)
    await server.kill('SIGKILL')
    await server.restart()
    await untilLooks(1)
    wire.release()
    await expectOne(server, id, open)
  })
})

describeOnPostgres('two servers on one database', (open) => {
  it('F3 make one set of images when one stands still, is taken for dead, and goes on', async () => {
    const sleeper = await start(open.url())
    const id = await order(sleeper)
    const heir = await start(open.url())
    sleeper.pause()
    await heir.until(({ msg }) => msg === TAKEN_UP)
    await untilLooks(1)
    const dropped = sleeper.until(({ msg }) => msg === 'Attempt dropped')
    sleeper.resume()
    wire.release()
    await dropped
    await expectOne(heir, id, open)
    expect(sleeper.lines.filter((line) => JSON.parse(line).msg === 'Attempt ended')).toEqual([])
  })

  it('F38 keep what each of them has while the event loop of one is busy for a third of a lease', async () => {
    const busy = await start(open.url())
    const id = await order(busy)
    const other = await start(open.url())
    // For longer than a lease and the next look for those that ran out.
    for (let time = 0; time < 5; time++) {
      await busy.tell(`block ${BLOCK_MS}`)
      await untilLooks(1)
    }
    wire.release()
    await expectOne(busy, id, open)
    for (const { lines } of [busy, other]) expect(lines.join()).not.toContain(TAKEN_UP)
  })
})
