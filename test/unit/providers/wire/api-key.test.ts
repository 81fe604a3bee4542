import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { keyOf } from '../../../../src/providers/wire/api-key.ts'
import { Secret } from '../../../../src/secret.ts'

describe('The key of a call', () => {
  const ofServer = new Secret('sk-server')
  const ofCaller = new Secret('sk-caller')

  it("is the caller's own before the server's", () => {
    expect(keyOf('Vendor', ofServer, ofCaller)).toBe(ofCaller)
    expect(keyOf('Vendor', ofServer, null)).toBe(ofServer)
  })

  it('must be there, and be one that a header can carry, before anything is sent', () => {
    for (const key of [null, new Secret(''), new Secret('  \n'), new Secret('sk-a\nb'), new Secret('sk-schlüssel')]) {
      let thrown: unknown
      try {
        keyOf('Vendor', key, null)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBeInstanceOf(ProviderError)
      expect(thrown).toMatchObject({ kind: 'UNAUTHORIZED', delivery: 'NOT_SENT', providerBilled: false })
      expect(String(thrown)).not.toMatch(/sk-/)
    }
  })
})
