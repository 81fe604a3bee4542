import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { GenerationDocument } from '../../schema/generated/operations.ts'
import { assertInvariantsOf } from '../support/data-directory.ts'
import { follow, generate } from '../support/generating.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import { startServerProcess } from '../support/server-process.ts'
import { expectWholeStory } from '../support/watch-client.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

const KEY = 'canary-9c41e0d7a2'

/** Vendors that are submitted to and asked later, with what tells that ours is waiting for the job. */
const VENDORS = [
  { name: 'flux', model: 'flux/flux-1.1-pro', count: 2, submits: 2, looks: /^\/v1\/get_result/ },
  { name: 'fal', model: 'fal/fal-ai/flux/dev', count: 2, submits: 1, looks: /\/requests\/[^/]+\/status$/ },
  { name: 'replicate', model: 'replicate/flux-1.1-pro', count: 2, submits: 2, looks: /^\/v1\/predictions\/[^/]+$/ },
  { name: 'ideogram', model: 'ideogram/ideogram-4.5', count: 2, submits: 2, looks: /^\/v2\/generations\// },
] as const

it.each(VENDORS)('F1 finishes the same job of $name after kill -9, with nothing submitted again', async (given) => {
  const vendor = PLAYED_VENDORS[given.name]
  await using wire = await startWireServer(vendor.create)
  const dataDir = await mkdtemp(join(tmpdir(), 'pictor-vendor-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  await using server = await startServerProcess({
    PICTOR_DATA_DIR: dataDir,
    ...vendor.environment(wire.origin, KEY),
  })
  const client = createGraphqlClient({ url: server.url })
  wire.script(...Array.from({ length: given.submits }, () => 'ok held=job'))

  const jobsLookedAt = (requests: typeof wire.requests) =>
    new Set(requests.filter(({ path }) => given.looks.test(path)).map(({ path, query }) => `${path}?${query}`)).size
  const { generation } = await generate(client, { prompt: 'a red fox in snow', model: given.model, count: given.count })
  // Killed sooner, a job may be on its way and its number not on disk: nobody could tell whether it was taken.
  await wire.until(() => jobsLookedAt(wire.requests) === given.submits)
  await server.kill('SIGKILL')
  await server.restart()
  const before = wire.requests.length
  await wire.until(() => jobsLookedAt(wire.requests.slice(before)) === given.submits)
  wire.release()

  expectWholeStory(await follow(client, generation.id))
  const ended = (await client.run(GenerationDocument, { id: generation.id })).generation
  expect(ended).toMatchObject({ status: 'COMPLETED', problems: [] })
  expect(ended?.images).toHaveLength(given.count)
  expect(ended?.attempts).toHaveLength(1)
  expect(wire.billable).toHaveLength(given.submits)
  expect(await server.kill('SIGTERM')).toBe(0)
  expect(server.lines.join('\n')).not.toContain(KEY)
  await assertInvariantsOf(dataDir)
})

/** Vendors with one long request and no way of being asked what became of it. */
const SYNCHRONOUS = [
  { name: 'openai', model: 'openai/gpt-image-2.6-flare' },
  { name: 'google', model: 'google/gemini-nano-banana-2.1' },
  { name: 'stability-ai', model: 'stability-ai/stable-image-core' },
] as const

it.each(SYNCHRONOUS)(
  'F1 sends nothing again to $name after kill -9 in the midst of a call, and charges nothing',
  async (given) => {
    const vendor = PLAYED_VENDORS[given.name]
    await using wire = await startWireServer(vendor.create)
    const dataDir = await mkdtemp(join(tmpdir(), 'pictor-vendor-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    await using server = await startServerProcess({ PICTOR_DATA_DIR: dataDir, ...vendor.environment(wire.origin, KEY) })
    const client = createGraphqlClient({ url: server.url })
    wire.script('ok held=answer')

    const { generation } = await generate(client, { prompt: 'a red fox in snow', model: given.model })
    await wire.until(() => wire.billable.length === 1)
    await server.kill('SIGKILL')
    await server.restart()

    expectWholeStory(await follow(client, generation.id))
    const ended = (await client.run(GenerationDocument, { id: generation.id })).generation
    expect(ended).toMatchObject({
      status: 'FAILED',
      error: { code: 'UNKNOWN_OUTCOME', retryable: true, billed: false, providerBilled: null },
      cost: { charged: { amount: '0.000000' }, held: { amount: '0.000000' } },
    })
    expect(wire.billable).toHaveLength(1)
    wire.release()
    expect(await server.kill('SIGTERM')).toBe(0)
    await assertInvariantsOf(dataDir)
  },
)
