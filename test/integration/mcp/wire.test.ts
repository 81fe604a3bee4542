import { afterAll, beforeAll, expect, it } from 'vitest'
import { createFastClock } from '../../support/fast-clock.ts'
import { assertInvariants } from '../../support/invariants.ts'
import { openMcpClient, readAnswer } from '../../support/mcp.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'
import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts'

let wire: WireServer
let server: TestApp
let account: TestAccount
beforeAll(async () => {
  wire = await startWireServer(PLAYED_VENDORS.openai.create)
  server = await startApp({
    env: PLAYED_VENDORS.openai.environment(wire.origin, 'sk-canary-b1d9e4f07a63'),
    clock: createFastClock(20),
    leaseMs: 600_000,
  })
  account = await createTestAccount(server.app)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await wire.close()
})

const MODEL = 'openai/gpt-image-2.6-flare'

it('makes pictures with OpenAI, for what was estimated at most, and calls it once however often the tool is called', async () => {
  const client = await openMcpClient(server.origin, { secret: account.secret })
  const request = { prompt: 'a red fox in snow', model: MODEL, size: '1024x640', output_format: 'WEBP' }
  const estimate = await client.callTool({ name: 'estimate_cost', arguments: request })
  const { total } = readAnswer<{ total: { max: { amount: string } } }>(estimate)
  const args = { ...request, idempotency_key: 'fox', wait_seconds: 300, max_cost: total.max.amount }
  const call = () => client.callTool({ name: 'generate_image', arguments: args })
  const results = [await call(), await call()]
  expect(results.map(({ structuredContent }) => structuredContent)).toMatchObject([
    { replayed: false, generation: { status: 'COMPLETED', model: MODEL, problems: [] } },
    { replayed: true, generation: { status: 'COMPLETED' } },
  ])
  const { generation } = readAnswer(results[0] ?? expect.unreachable())
  expect(generation.images).toMatchObject([{ mime_type: 'image/webp', width: 1024, height: 640 }])
  expect(Number(generation.cost.charged?.amount)).toBeGreaterThan(0)
  expect(Number(generation.cost.charged?.amount)).toBeLessThanOrEqual(Number(total.max.amount))
  expect(wire.billable).toHaveLength(1)
  await assertInvariants(server.app.foundations.database, server.app.domain.storage)
})

it('paints an earlier picture anew, named by its id', async () => {
  const client = await openMcpClient(server.origin, { secret: account.secret })
  const base = { model: MODEL, size: '1024x640', wait_seconds: 300 }
  const make = async (args: object) =>
    readAnswer(await client.callTool({ name: 'generate_image', arguments: { ...base, ...args } })).generation
  const [image] = (await make({ prompt: 'a red fox', idempotency_key: 'edit-1' })).images
  const reference = { reference_images: [{ image_id: image?.id }] }
  const edited = await make({ prompt: 'the same fox at night', idempotency_key: 'edit-2', ...reference })
  expect(edited).toMatchObject({ status: 'COMPLETED', problems: [] })
  expect(wire.requests.at(-1)?.path).toBe('/v1/images/edits')
})

it('tells of a refusal as the end of a generation that costs nothing', async () => {
  const client = await openMcpClient(server.origin, { secret: account.secret })
  const args = { prompt: 'a fox [[wire refused]]', model: MODEL, idempotency_key: 'refused', wait_seconds: 300 }
  const result = await client.callTool({ name: 'generate_image', arguments: args })
  expect(result.isError).toBeUndefined()
  expect(readAnswer(result)).toMatchObject({
    generation: {
      status: 'FAILED',
      error: { code: 'REFUSED', retryable: false, billed: false },
      cost: { charged: { amount: '0.000000' } },
    },
  })
  expect(readAnswer(result).next).toContain('a new idempotency_key')
})
