import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { assertWanted, createAbortion, createMisunderstanding } from '../../../../src/providers/wire/call-failures.ts'

describe('An end from our side', () => {
  it('says whether something was sent', () => {
    expect(createAbortion(true)).toMatchObject({ delivery: 'UNKNOWN', providerBilled: null })
    expect(createAbortion(false)).toMatchObject({ delivery: 'NOT_SENT', providerBilled: false })
    expect(() => assertWanted(new AbortController().signal, true)).not.toThrow()
    expect(() => assertWanted(AbortSignal.abort(), false)).toThrow(ProviderError)
  })
})

describe('An answer that is not what was promised', () => {
  it('may have been paid for', () => {
    expect(createMisunderstanding('Vendor', 'r1')).toMatchObject({
      kind: 'BAD_OUTPUT',
      delivery: 'ANSWERED',
      providerBilled: null,
      providerRequestId: 'r1',
    })
  })
})
