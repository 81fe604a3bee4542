import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { COMMON_ENDINGS, describeVendor, type VendorCase } from './vendor-suite.ts'

const SEEDREAM: VendorCase = {
  vendor: PLAYED_VENDORS.bytedance,
  input: { prompt: 'a red fox in snow', model: 'seedream-4', size: '1024x1024', outputFormat: 'PNG' },
  expected: { mimeType: 'image/png', width: 1024, height: 1024 },
  callsPerImage: 1,
  endings: [
    ...COMMON_ENDINGS.filter(({ mode }) => mode !== 'unavailable'),
    { mode: 'overloaded', code: 'UNAVAILABLE', retryable: true, providerBilled: false, attempts: 3 },
    { mode: 'refused', code: 'REFUSED', retryable: false, providerBilled: false },
    { mode: 'overdue', code: 'QUOTA_EXHAUSTED', retryable: false, providerBilled: false },
    { mode: 'retired', code: 'MODEL_RETIRED', retryable: false, providerBilled: false },
    { mode: 'expired', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'private_url', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'broken', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
  ],
}

describeVendor(SEEDREAM)
