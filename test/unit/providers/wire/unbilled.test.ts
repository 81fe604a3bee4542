import { describe, expect, it } from 'vitest'
import type { ImageProvider } from '../../../../src/providers/provider.ts'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { billsNobody } from '../../../../src/providers/wire/unbilled.ts'
import { createCall } from '../../../contract/provider-contract.ts'
import { createProviderRequest } from '../../../contract/providers/wire-stage.ts'

describe('a provider that bills nobody', () => {
  const lost = new ProviderError({ kind: 'TIMEOUT', delivery: 'UNKNOWN', message: 'Lost.', providerCode: 'x' })
  const output = { failures: [{ imageIndex: 0, error: lost }], usage: null, reportedUsdMicros: null, requestId: null }
  const create = (generate: ImageProvider['generate']) =>
    billsNobody({ id: 'studio', name: 'Studio', keyed: false, configured: true, generate })
  const ask = (provider: ImageProvider) => provider.generate(createProviderRequest({}), createCall().call)

  it('says so of a call that failed and of a part that did', async () => {
    const told = { kind: 'TIMEOUT', delivery: 'UNKNOWN', message: 'Lost.', providerCode: 'x', providerBilled: false }
    await expect(ask(create(() => Promise.reject(lost)))).rejects.toMatchObject(told)
    expect((await ask(create(async () => output))).failures).toMatchObject([{ imageIndex: 0, error: told }])
  })

  it('hands on what is no failure of the provider', async () => {
    const lease = new Error('The lease is lost.')
    await expect(ask(create(() => Promise.reject(lease)))).rejects.toBe(lease)
  })
})
