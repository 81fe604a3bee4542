import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CancelGenerationDocument, GenerationDocument } from '../../../schema/generated/operations.ts'
import { follow, generate, make, quick } from '../../support/generating.ts'
import { SOON } from '../../support/metrics.ts'
import { PRICED_PAINTER, startApp, type TestApp } from '../../support/start-app.ts'
import { expectWholeStory, kindsOf } from '../../support/watch-client.ts'

let server: TestApp

beforeAll(async () => {
  server = await startApp({ models: [PRICED_PAINTER] })
})
afterAll(() => server[Symbol.asyncDispose]())

async function get(id: string) {
  const { generation } = await server.client.run(GenerationDocument, { id })
  if (!generation) throw new Error(`${id} is not there.`)
  return generation
}

describe('trouble at the provider, as the sandbox plays it', () => {
  it('is tried again where the provider did not take the call, and is then as if nothing had been', async () => {
    const { id, events } = await make(server.client, quick('delay=0 fail=rate_limited retry-after=20 times=1'))
    expectWholeStory(events)
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'RETRYING', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
    const retrying = events.find((event) => event.kind === 'RETRYING')
    expect(retrying).toMatchObject({ status: 'QUEUED', problem: { code: 'RATE_LIMITED', billed: false } })
    const { attempts, problems, cost } = await get(id)
    expect(attempts.map(({ number, outcome }) => ({ number, outcome }))).toEqual([
      { number: 1, outcome: 'FAILED' },
      { number: 2, outcome: 'SUCCEEDED' },
    ])
    expect(problems).toEqual([])
    expect(cost.charged?.amount).toBe('0.040000')
  })

  it('ends after three tries, and costs nothing', async () => {
    const { id, events } = await make(server.client, quick('delay=0 fail=rate_limited retry-after=0'))
    expect(kindsOf(events).filter((kind) => kind === 'STARTED')).toHaveLength(3)
    expect(await get(id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'RATE_LIMITED', retryable: true, billed: false },
      cost: { charged: { amount: '0.000000' }, held: { amount: '0.000000' } },
    })
  })

  it('is final for a refusal', async () => {
    const { events, last } = await make(server.client, quick('delay=0 fail=refused'))
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'FAILED'])
    expect(last.problem).toMatchObject({ code: 'REFUSED', stage: 'PROVIDER', retryable: false })
  })

  it('leaves what was made, pays for that alone, and lists what is missing', async () => {
    const { id, events } = await make(server.client, quick('delay=0 images=2', { count: 4 }))
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'IMAGE_READY', 'COMPLETED'])
    expect(await get(id)).toMatchObject({
      status: 'COMPLETED',
      images: [{ index: 0 }, { index: 1 }],
      problems: [{ code: 'TOO_FEW_IMAGES' }],
      error: null,
      attempts: [{ outcome: 'PARTIAL' }],
      cost: {
        charged: { amount: '0.080000' },
        held: { amount: '0.000000' },
        estimated: { max: { amount: '0.160000' } },
      },
    })
  })

  it('names the image that failed', async () => {
    const { id } = await make(server.client, quick('delay=0 fail-image=1', { count: 3 }))
    expect(await get(id)).toMatchObject({
      status: 'COMPLETED',
      images: [{ index: 0 }, { index: 2 }],
      problems: [{ code: 'REFUSED', imageIndex: 1 }],
    })
  })

  it('never keeps bytes that are no whole picture', async () => {
    for (const directives of ['delay=0 broken', 'delay=0 broken=page']) {
      const { id } = await make(server.client, quick(directives))
      expect(await get(id)).toMatchObject({
        status: 'FAILED',
        images: [],
        error: { code: 'BAD_OUTPUT', billed: false, providerBilled: true },
        cost: { charged: { amount: '0.000000' } },
      })
    }
  })

  it('is not sent again where nobody knows whether it was taken', async () => {
    const { id, events } = await make(server.client, quick('delay=0 unknown'))
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'FAILED'])
    expect(await get(id)).toMatchObject({
      error: { code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null, billed: false },
      attempts: [{ number: 1 }],
      cost: { charged: { amount: '0.000000' } },
    })
  })

  it('is ended by cancel, which says that the provider may bill', async () => {
    const { generation } = await generate(server.client, quick('delay=0 hang'))
    const story = follow(server.client, generation.id)
    await follow(server.client, generation.id, (event) => event.kind === 'STARTED')
    await expect.poll(async () => (await get(generation.id)).attempts[0]?.phase, SOON).toBe('ACCEPTED')
    const { cancelGeneration } = await server.client.run(CancelGenerationDocument, { id: generation.id })
    expect(cancelGeneration).toMatchObject({ effect: 'MAY_BE_BILLED', generation: { status: 'CANCELED' } })
    const events = await story
    expectWholeStory(events)
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'CANCELED'])
    const again = await server.client.run(CancelGenerationDocument, { id: generation.id })
    expect(again.cancelGeneration).toMatchObject({ effect: 'TOO_LATE', generation: { status: 'CANCELED' } })
    expect(await get(generation.id)).toMatchObject({ cost: { charged: { amount: '0.000000' } } })
  })

  it('keeps and charges what had come when it is canceled half-way', async () => {
    const { generation } = await generate(server.client, quick('delay=2000 steps=1', { count: 4 }))
    await follow(server.client, generation.id, (event) => event.kind === 'IMAGE_READY')
    const { cancelGeneration } = await server.client.run(CancelGenerationDocument, { id: generation.id })
    expect(cancelGeneration).toMatchObject({ effect: 'MAY_BE_BILLED', generation: { status: 'COMPLETED' } })
    const { images, problems, cost } = await get(generation.id)
    expect(images.length).toBeLessThan(4)
    expect(problems).toMatchObject([{ code: 'CANCELED', providerBilled: null }])
    expect(Number(cost.charged?.amount)).toBeCloseTo(0.04 * images.length, 6)
    expectWholeStory(await follow(server.client, generation.id))
  })

  it('is given up at the deadline', async () => {
    const { id, last } = await make(server.client, quick('delay=0 hang', { deadlineSeconds: 1 }))
    expect(last).toMatchObject({ kind: 'FAILED', problem: { code: 'DEADLINE_EXCEEDED', billed: false } })
    expect(await get(id)).toMatchObject({ attempts: [{ outcome: 'FAILED' }], cost: { held: { amount: '0.000000' } } })
  })

  it('is handed to a fallback model', async () => {
    const { id } = await make(
      server.client,
      quick('delay=0 fail=quota_exhausted times=1', { fallbackModels: ['sandbox/etching'] }),
    )
    expect(await get(id)).toMatchObject({
      status: 'COMPLETED',
      model: { id: 'sandbox/etching' },
      requestedModel: 'sandbox/painter',
      warnings: expect.arrayContaining([expect.objectContaining({ code: 'FALLBACK_USED' })]),
    })
  })

  it('is named when a directive is mistyped, and never looks like success', async () => {
    const { last } = await make(server.client, quick('dealy=0'))
    expect(last).toMatchObject({ kind: 'FAILED', problem: { code: 'INVALID_REQUEST' } })
    expect(last.problem?.message).toContain('"dealy"')
  })

  it('tells of progress between the transitions, never backwards', async () => {
    const { events } = await make(server.client, quick('delay=300 steps=5'))
    const progress = events.filter((event) => event.kind === 'PROGRESS').map((event) => event.progress ?? -1)
    expect(progress.length).toBeGreaterThan(0)
    expect(progress).toEqual([...progress].sort((one, other) => one - other))
    expectWholeStory(events)
  })
})
