import { describe, expect, it } from 'vitest'
import type { ImageProvider } from '../../../src/providers/provider.ts'
import { ProviderError } from '../../../src/providers/provider-error.ts'
import { authorizationOf } from '../../../src/providers/wire/authorization.ts'
import { readDetail } from '../../../src/providers/wire/json-values.ts'
import { createPreviewPacing } from '../../../src/providers/wire/preview-pacing.ts'
import { billsNobody } from '../../../src/providers/wire/unbilled.ts'
import { Secret } from '../../../src/secret.ts'
import { createCall } from '../../contract/provider-contract.ts'
import { createProviderRequest } from '../../contract/providers/wire-stage.ts'

describe('pacing of previews', () => {
  it('spreads as many as were asked for over the work', () => {
    const pacing = createPreviewPacing(3)
    const steps = Array.from({ length: 20 }, (_, step) => (step + 1) / 20)
    expect(steps.filter((progress) => pacing.isDue(progress))).toEqual([0.25, 0.5, 0.75])
  })

  it('shows what comes where no progress is told, and never more than was asked for', () => {
    const pacing = createPreviewPacing(2)
    expect([null, null, null, 0.9].map((progress) => pacing.isDue(progress))).toEqual([true, true, false, false])
  })

  it('shows none where none was asked for', () => {
    expect(createPreviewPacing(0).isDue(1)).toBe(false)
  })
})

describe('authorization at an engine', () => {
  it.each([
    ['user and password', 'ann:secret', `Basic ${Buffer.from('ann:secret').toString('base64')}`],
    ['a token', 'sk-1', 'Bearer sk-1'],
  ])('shows %s', (_, key, shown) => {
    expect(authorizationOf(new Secret(key), null)).toEqual({ authorization: shown })
  })

  it("shows the caller's own key before the server's, and nothing without one", () => {
    expect(authorizationOf(new Secret('a'), new Secret('b'))).toEqual({ authorization: 'Bearer b' })
    expect(authorizationOf(null, null)).toEqual({})
  })
})

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

describe("FastAPI's errors", () => {
  it.each([
    [{ detail: 'Not Found' }, 'Not Found'],
    [{ detail: [{ loc: ['body', 'width'], msg: 'too wide', type: 'x' }, { msg: 'no' }] }, 'width: too wide; no'],
    [{ detail: [] }, null],
    [{ other: 1 }, null],
    ['text', null],
  ])('are read from %j', (json, words) => {
    expect(readDetail(json)).toBe(words)
  })
})
