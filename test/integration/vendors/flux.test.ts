import { describe, expect, it } from 'vitest'
import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { COMMON_ENDINGS, describeVendor, make, play, type VendorCase } from './vendor-suite.ts'

const FLUX: VendorCase = {
  vendor: PLAYED_VENDORS.flux,
  input: { prompt: 'a red fox in snow', model: 'flux-1.1-pro', size: '512x256', outputFormat: 'PNG' },
  expected: { mimeType: 'image/png', width: 512, height: 256 },
  callsPerImage: 1,
  endings: [
    ...COMMON_ENDINGS,
    { mode: 'refused', code: 'REFUSED', retryable: false, providerBilled: false },
    { mode: 'refused_output', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'failed', code: 'UNAVAILABLE', retryable: true, providerBilled: null },
    { mode: 'expired', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'private_url', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'broken', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
  ],
}

describeVendor(FLUX)

describe('four images of a model that makes one at a time', () => {
  it('come one by one, and where one is refused the others are delivered and charged', async () => {
    const { app, wire } = await play(FLUX)
    wire.script('ok', 'refused_output', 'ok', 'ok')
    const { events, generation } = await make(app, { ...FLUX.input, count: 4 })
    expect(generation.status).toBe('COMPLETED')
    expect(generation.images.map(({ index }) => index)).toEqual([0, 2, 3])
    expect(generation.problems).toMatchObject([{ code: 'REFUSED', imageIndex: 1, billed: false }])
    expect(events.filter(({ kind }) => kind === 'IMAGE_READY')).toHaveLength(3)
    expect(generation.cost.charged?.amount).toBe('0.120000')
    expect(wire.billable).toHaveLength(4)
  })
})

describe('a format that the vendor does not make', () => {
  it('is made here', async () => {
    const { app } = await play(FLUX)
    const { generation } = await make(app, { ...FLUX.input, outputFormat: 'WEBP' })
    expect(generation.images).toMatchObject([{ mimeType: 'image/webp', width: 512, height: 256 }])
  })
})

describe('what the vendor says that it cost', () => {
  it('stands beside what was charged, and the drift can be measured', async () => {
    const { app, wire } = await play(FLUX)
    wire.script('ok cost=4.5')
    const { generation } = await make(app, FLUX.input)
    expect(generation.cost).toMatchObject({ charged: { amount: '0.040000' }, providerReported: { amount: '0.045000' } })
    const metrics = await app.app.foundations.metrics.render()
    expect(metrics).toContain('pictor_vendor_cost_micros_total{provider="flux",source="reported"} 45000')
    expect(metrics).toContain('pictor_vendor_cost_micros_total{provider="flux",source="catalogue"} 40000')
  })
})
