import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { COMMON_ENDINGS, describeVendor, type VendorCase } from './vendor-suite.ts'

const STABILITY: VendorCase = {
  vendor: PLAYED_VENDORS['stability-ai'],
  input: { prompt: 'a red fox in snow', model: 'stable-image-core', aspectRatio: '1:1', outputFormat: 'WEBP' },
  expected: { mimeType: 'image/webp', width: 1024, height: 1024 },
  callsPerImage: 1,
  endings: [
    ...COMMON_ENDINGS,
    { mode: 'refused', code: 'REFUSED', retryable: false, providerBilled: false },
    { mode: 'filtered', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'retired', code: 'MODEL_RETIRED', retryable: false, providerBilled: false },
    { mode: 'broken', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
  ],
}

describeVendor(STABILITY)
