import { describe, expect, it } from 'vitest'
import { kindsOf } from '../../support/watch-client.ts'
import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { COMMON_ENDINGS, describeVendor, make, play, type VendorCase } from './vendor-suite.ts'

const OPENAI: VendorCase = {
  vendor: PLAYED_VENDORS.openai,
  input: { prompt: 'a red fox in snow', model: 'openai/gpt-image-2.6-flare', size: '1024x640', outputFormat: 'WEBP' },
  expected: { mimeType: 'image/webp', width: 1024, height: 640 },
  callsPerImage: 0,
  endings: [
    ...COMMON_ENDINGS,
    { mode: 'refused', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'refused_input', code: 'REFUSED', retryable: false, providerBilled: false },
    { mode: 'retired', code: 'MODEL_RETIRED', retryable: false, providerBilled: false },
    { mode: 'billing_limit', code: 'QUOTA_EXHAUSTED', retryable: false, providerBilled: false },
    { mode: 'broken', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
  ],
}

describeVendor(OPENAI)

describeVendor({
  ...OPENAI,
  vendor: { ...OPENAI.vendor, name: 'OpenAI with previews' },
  input: { ...OPENAI.input, previews: 2 },
  callsPerImage: 1,
  endings: [
    { mode: 'cut', code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null },
    { mode: 'stall', code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null },
    { mode: 'sse_error', code: 'UNAVAILABLE', retryable: true, providerBilled: null },
    { mode: 'sse_refused', code: 'REFUSED', retryable: false, providerBilled: null },
  ],
})

describe('three previews of one picture', () => {
  it('are shown before it is completed, and each can be fetched while it runs', async () => {
    const { app } = await play(OPENAI)
    const { events, generation } = await make(app, { ...OPENAI.input, previews: 3 })
    expect(generation.status).toBe('COMPLETED')
    const kinds = events.map(({ kind }) => kind)
    expect(kinds).toContain('PREVIEW')
    expect(kinds.lastIndexOf('PREVIEW')).toBeLessThan(kinds.indexOf('COMPLETED'))
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
    const url = events.find(({ preview }) => preview)?.preview?.url ?? expect.unreachable()
    expect((await fetch(url)).headers.get('content-type')).toBe('image/webp')
  })
})

describe('what an image costs', () => {
  it.each([
    ['low', 0],
    ['medium', 2],
    ['high', 0],
    ['auto', 0],
    ['max', 3],
  ])(
    'is what the vendor counts, and within the estimate, in quality %s with %i previews',
    async (quality, previews) => {
      const { app } = await play(OPENAI)
      const request = { ...OPENAI.input, size: '1024x1024', quality, previews, count: 2 }
      const { generation } = await make(app, request)
      const { estimated, charged } = generation.cost
      expect(generation.status).toBe('COMPLETED')
      expect(generation.tokens?.output).toBeGreaterThan(0)
      expect(Number(charged?.amount)).toBeGreaterThanOrEqual(Number(estimated?.min.amount))
      expect(Number(charged?.amount)).toBeLessThanOrEqual(Number(estimated?.max.amount))
    },
  )

  it('is 0.21072 dollars and what the prompt costs for a square one in high quality', async () => {
    const { app } = await play(OPENAI)
    const { generation } = await make(app, { ...OPENAI.input, size: '1024x1024', quality: 'high' })
    // 7024 tokens at 30 dollars a million come to 0.21072, as the vendor has reported for this size.
    expect(Number(generation.cost.charged?.amount)).toBeGreaterThanOrEqual(0.21072)
    expect(Number(generation.cost.charged?.amount)).toBeLessThan(0.2109)
  })
})

describe('a model that is gone', () => {
  it('works on where an operator’s endpoint still serves it, in its own form', async () => {
    const models = [{ id: 'openai/dall-e-3', lifecycle: { state: 'ACTIVE', retiresAt: null } }]
    const { app, wire } = await play({ ...OPENAI, models })
    wire.script('serves_retired', 'serves_retired')
    const asked = { model: 'dall-e-3', quality: 'hd', style: 'vivid', size: '1024x1792', outputFormat: 'JPEG' as const }
    const { generation } = await make(app, { prompt: 'a red fox in snow', ...asked, count: 2 })
    expect(generation).toMatchObject({ status: 'COMPLETED', cost: { charged: { amount: '0.240000' } } })
    expect(generation.images).toMatchObject([1, 2].map(() => ({ mimeType: 'image/jpeg', width: 1024, height: 1792 })))
  })
})
