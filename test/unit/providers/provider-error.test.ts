import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../src/providers/provider-error.ts'

const SAID = { kind: 'INVALID_REQUEST', delivery: 'ANSWERED', message: 'No.' } as const

describe('A failure of a provider', () => {
  it('is not billed unless nobody can tell', () => {
    expect(new ProviderError(SAID).providerBilled).toBe(false)
    expect(new ProviderError({ ...SAID, delivery: 'UNKNOWN' }).providerBilled).toBeNull()
    expect(new ProviderError({ ...SAID, providerBilled: null }).providerBilled).toBeNull()
    expect(new ProviderError({ ...SAID, delivery: 'UNKNOWN', providerBilled: true }).providerBilled).toBe(true)
  })

  it('has no text that a log or a database would choke on', () => {
    const said = 'It says: a\u0000b\r\nc \ud83d é 🦊'
    const error = new ProviderError({ ...SAID, message: said, providerCode: said, providerRequestId: said })
    expect(error.message).toBe('It says: a b c   é 🦊')
    expect(error.providerCode).toBe(error.message)
    expect(error.providerRequestId).toBe(error.message)
  })

  it('keeps no more of a code or an id than one would read', () => {
    const endless = 'x'.repeat(1_000_000)
    const error = new ProviderError({ ...SAID, providerCode: endless, providerRequestId: endless })
    expect([error.providerCode?.length, error.providerRequestId?.length]).toEqual([200, 200])
  })

  it('keeps no more of what is said than a row should hold, and no half of a character of it', () => {
    const { message } = new ProviderError({ ...SAID, message: `x${'🦊'.repeat(1_000_000)}` })
    expect(message.length).toBeLessThanOrEqual(2_000)
    expect(message.isWellFormed()).toBe(true)
    expect(new ProviderError({ ...SAID, message: 'x'.repeat(2_000) }).message).toHaveLength(2_000)
  })
})
