import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { COMMON_ENDINGS, describeVendor, type VendorCase } from './vendor-suite.ts'

const FAL: VendorCase = {
  vendor: PLAYED_VENDORS.fal,
  input: { prompt: 'a red fox in snow', model: 'fal-ai/flux/dev', size: '512x512', outputFormat: 'PNG' },
  expected: { mimeType: 'image/png', width: 512, height: 512 },
  callsPerImage: 0,
  endings: [
    ...COMMON_ENDINGS.filter(({ mode }) => mode !== 'server_error' && mode !== 'invalid'),
    // It says that a 5xx is not charged and that a 422 may be.
    { mode: 'server_error', code: 'UNAVAILABLE', retryable: true, providerBilled: false },
    { mode: 'invalid', code: 'INVALID_REQUEST', retryable: false, providerBilled: null },
    { mode: 'refused', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'flagged=0', code: 'REFUSED', retryable: false, providerBilled: null },
    { mode: 'retired', code: 'MODEL_RETIRED', retryable: false, providerBilled: false },
    { mode: 'expired', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'private_url', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
    { mode: 'broken', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: true },
  ],
}

describeVendor(FAL)
