import { describe, expect, it } from 'vitest'
import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { COMMON_ENDINGS, describeVendor, make, play, type VendorCase } from './vendor-suite.ts'

const IDEOGRAM: VendorCase = {
  vendor: PLAYED_VENDORS.ideogram,
  input: { prompt: 'a red fox in snow', model: 'ideogram-v2', size: '1024x1024', outputFormat: 'WEBP' },
  expected: { mimeType: 'image/webp', width: 1024, height: 1024 },
  callsPerImage: 0,
  endings: [
    ...COMMON_ENDINGS.filter(({ mode }) => mode !== 'server_error'),
    // In its own words, and it says that such are not billed.
    { mode: 'server_error', code: 'UNAVAILABLE', retryable: true, providerBilled: false },
    { mode: 'refused', code: 'REFUSED', retryable: false, providerBilled: false },
    { mode: 'unsafe=0', code: 'REFUSED', retryable: false, providerBilled: true },
    { mode: 'daily_limit', code: 'QUOTA_EXHAUSTED', retryable: false, providerBilled: false },
    { mode: 'expired', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'private_url', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'broken', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
  ],
}

describeVendor(IDEOGRAM)

describe('an unsafe picture among others', () => {
  it('is refused alone, and the others are delivered and charged', async () => {
    const { app, wire } = await play(IDEOGRAM)
    wire.script('unsafe=1')
    const { generation } = await make(app, { ...IDEOGRAM.input, count: 3 })
    expect(generation.status).toBe('COMPLETED')
    expect(generation.images.map(({ index }) => index)).toEqual([0, 2])
    expect(generation.problems).toMatchObject([{ code: 'REFUSED', imageIndex: 1, billed: false, providerBilled: true }])
    expect(generation.cost.charged?.amount).toBe('0.160000')
  })
})
