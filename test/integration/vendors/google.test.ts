import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { COMMON_ENDINGS, describeVendor, type VendorCase } from './vendor-suite.ts'

const GOOGLE: VendorCase = {
  vendor: PLAYED_VENDORS.google,
  input: { prompt: 'a red fox in snow', model: 'nano-banana-pro', aspectRatio: '16:9', outputFormat: 'WEBP' },
  expected: { mimeType: 'image/webp', width: 1376, height: 768 },
  callsPerImage: 1,
  endings: [
    ...COMMON_ENDINGS,
    { mode: 'refused', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'refused_output', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'text_only', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'retired', code: 'MODEL_RETIRED', retryable: false, providerBilled: false },
    { mode: 'broken', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
  ],
}

describeVendor(GOOGLE)
