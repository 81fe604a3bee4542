import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  CreateTokenDocument,
  EstimateCostDocument,
  GenerationDocument,
  ModelsDocument,
  ProviderKeysDocument,
  RemoveProviderKeyDocument,
  SetProviderKeyDocument,
  ViewerDocument,
} from '../../../schema/generated/operations.ts'
import { make, refuse, request } from '../../support/generating.ts'
import type { GraphqlClient } from '../../support/graphql-client.ts'
import { createTestAccount, type NewTestAccount, startApp, type TestApp } from '../../support/start-app.ts'
import { createFluxWire } from '../../support/wire/flux.ts'
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts'

const KEY = 'a-key-for-flux-of-our-own-1234'
const FLUX = { prompt: 'a red fox in snow [[wire ok polls=0]]', model: 'flux/flux-2-pro', size: '64x64' }

let server: TestApp
let wire: WireServer

/** No server key for any vendor: only who brings one can use flux. */
beforeAll(async () => {
  wire = await startWireServer(createFluxWire)
  server = await startApp({ env: { BFL_BASE_URL: wire.origin } })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await wire.close()
})

async function clientOf(given: NewTestAccount = {}): Promise<GraphqlClient> {
  return server.clientOf((await createTestAccount(server.app, given)).secret)
}

async function tokenOf(client: GraphqlClient, scopes: readonly string[]): Promise<GraphqlClient> {
  const { createToken } = await client.run(CreateTokenDocument, { input: { endUser: 'ada', scopes } })
  if (createToken.__typename !== 'CreateTokenSuccess') throw new Error(JSON.stringify(createToken))
  return server.clientOf(createToken.accessToken)
}

const set = (client: GraphqlClient, provider = 'flux', apiKey = KEY) =>
  client.run(SetProviderKeyDocument, { provider, apiKey })

async function list(client: GraphqlClient) {
  return (await client.run(ProviderKeysDocument, {})).viewer.account.providerKeys
}

async function lookAtFlux(client: GraphqlClient) {
  const { models } = await client.run(ModelsDocument, { filter: { provider: 'flux' } })
  const model = models.find(({ id }) => id === FLUX.model)
  const { models: usable } = await client.run(ModelsDocument, { filter: { provider: 'flux', available: true } })
  return { available: model?.available, why: model?.unavailableReason ?? null, usable: usable.length > 0 }
}

describe('a key for a provider', () => {
  it('is set, listed by its end, replaced and removed', async () => {
    const client = await clientOf()
    expect(await set(client)).toMatchObject({
      setProviderKey: { providerKey: { hint: '••••1234', provider: { id: 'flux', name: 'Black Forest Labs' } } },
    })
    await set(client, 'black-forest-labs', 'another-key-for-flux-5678')
    expect(await list(client)).toMatchObject([{ hint: '••••5678', provider: { id: 'flux' } }])
    expect(await client.run(RemoveProviderKeyDocument, { provider: 'BFL' })).toMatchObject({
      removeProviderKey: { provider: { id: 'flux' } },
    })
    expect(await list(client)).toEqual([])
    expect(await client.run(RemoveProviderKeyDocument, { provider: 'flux' })).toMatchObject({
      removeProviderKey: { __typename: 'NotFoundError', code: 'NOT_FOUND' },
    })
  })

  it('is refused by field', async () => {
    const client = await clientOf()
    expect((await set(client, 'sandbox', 'with a space')).setProviderKey).toMatchObject({
      __typename: 'InvalidInputError',
      fields: [
        { path: 'provider', message: 'sandbox needs no key.', allowed: expect.arrayContaining(['flux']) },
        { path: 'apiKey', allowed: [] },
      ],
    })
    expect((await set(client, 'nobody')).setProviderKey).toMatchObject({ fields: [{ path: 'provider' }] })
  })

  it('is a matter of the scope admin alone', async () => {
    const owner = await clientOf()
    const others = [await clientOf({ scopes: ['generate', 'read'] }), await tokenOf(owner, ['generate', 'read'])]
    for (const client of others) {
      const asked = [
        client.ask(ProviderKeysDocument),
        client.ask(SetProviderKeyDocument, { provider: 'flux', apiKey: KEY }),
        client.ask(RemoveProviderKeyDocument, { provider: 'flux' }),
      ]
      for (const { errors } of await Promise.all(asked)) {
        expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
      }
    }
    await set(await tokenOf(owner, ['generate', 'read', 'admin']))
    expect(await list(owner)).toHaveLength(1)
  })

  it('is nobody else’s to see, to use or to remove', async () => {
    const [owner, stranger] = [await clientOf(), await clientOf()]
    await set(owner)
    expect(await list(stranger)).toEqual([])
    expect((await stranger.run(RemoveProviderKeyDocument, { provider: 'flux' })).removeProviderKey.__typename).toBe(
      'NotFoundError',
    )
    expect(await lookAtFlux(stranger)).toMatchObject({ available: false, usable: false })
    expect(await refuse(stranger, 'ModelUnavailableError', FLUX)).toMatchObject({ reason: 'NOT_CONFIGURED' })
    expect(await lookAtFlux(owner)).toEqual({ available: true, why: null, usable: true })
  })
})

describe('a model of a provider for which the server has no key', () => {
  it('can be used once the account keeps one, for no credits and by that key alone', async () => {
    const client = await clientOf({ billing: 'PREPAID' })
    const { available, why, usable } = await lookAtFlux(client)
    expect({ available, usable }).toEqual({ available: false, usable: false })
    expect(why).toContain('has no key on this server. Bring one of your own')
    await set(client)
    expect(await lookAtFlux(client)).toEqual({ available: true, why: null, usable: true })
    const before = wire.requests.length
    const { id } = await make(client, FLUX)
    const { generation } = await client.run(GenerationDocument, { id })
    expect(generation).toMatchObject({
      status: 'COMPLETED',
      cost: {
        ownKey: true,
        estimated: { min: { amount: '0.000000' }, max: { amount: '0.000000' } },
        held: { amount: '0.000000' },
        charged: { amount: '0.000000', credits: '0.000000' },
        providerReported: { amount: '0.040000' },
      },
    })
    const keys = wire.requests.slice(before).map(({ headers, path }) => [path.split('/')[1], headers['x-key']])
    expect(new Set(keys.map(([, key]) => key))).toEqual(new Set([KEY, undefined]))
    expect(keys.filter(([place, key]) => (place === 'samples') !== (key === undefined))).toEqual([])
    expect(await client.run(ViewerDocument, {})).toMatchObject({
      viewer: { account: { balance: { amount: '0.000000' }, held: { amount: '0.000000' } } },
    })
  })

  it('can be used with a key in the request, by a token of an end user too', async () => {
    const client = await clientOf()
    const token = await tokenOf(client, ['generate', 'read'])
    const before = wire.billable.length
    await make(token, { ...FLUX, providerApiKey: 'a-key-that-came-along' })
    expect(wire.billable[before]?.headers['x-key']).toBe('a-key-that-came-along')
    expect(await refuse(token, 'ModelUnavailableError', FLUX)).toMatchObject({ reason: 'NOT_CONFIGURED' })
  })

  it('has its price told before, in credits and as the provider asks it', async () => {
    const client = await clientOf()
    const { estimateCost } = await client.run(EstimateCostDocument, {
      input: { ...FLUX, count: 2, providerApiKey: 'a-key-that-came-along' },
    })
    expect(estimateCost).toMatchObject({
      __typename: 'CostEstimate',
      ownKey: true,
      affordable: true,
      total: { max: { amount: '0.000000' } },
      providerPrice: { min: { amount: '0.060000' }, max: { amount: '0.060000' } },
      lines: [],
      warnings: [],
    })
  })

  it('refuses a key that is none, or that nobody needs, by its field', async () => {
    const client = await clientOf()
    for (const input of [
      { ...FLUX, providerApiKey: 'with a space' },
      { prompt: 'a red fox', providerApiKey: KEY },
    ]) {
      expect(await refuse(client, 'InvalidInputError', input)).toMatchObject({ fields: [{ path: 'providerApiKey' }] })
    }
    expect(await request(client, { ...FLUX, providerApiKey: null })).toMatchObject({ reason: 'NOT_CONFIGURED' })
  })
})
