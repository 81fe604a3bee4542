import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { COMMON_ENDINGS, describeVendor, type VendorCase } from './vendor-suite.ts'

const REPLICATE: VendorCase = {
  vendor: PLAYED_VENDORS.replicate,
  input: { prompt: 'a red fox in snow', model: 'replicate/flux-1.1-pro', aspectRatio: '1:1', outputFormat: 'PNG' },
  expected: { mimeType: 'image/png' },
  callsPerImage: 1,
  endings: [
    ...COMMON_ENDINGS,
    { mode: 'refused', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'failed', code: 'UNAVAILABLE', retryable: true, providerBilled: null },
    { mode: 'retired', code: 'MODEL_RETIRED', retryable: false, providerBilled: false },
    { mode: 'expired', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'private_url', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'broken', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
  ],
}

describeVendor(REPLICATE)
