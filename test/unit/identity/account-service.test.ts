import { describe, expect, it } from 'vitest'
import { InvalidInputError, NotFoundError, RequestError } from '../../../src/errors.ts'
import { createAccountService } from '../../../src/identity/account-service.ts'
import { LOCAL_ACCOUNT_ID } from '../../../src/identity/accounts.ts'
import { keyInput, openIdentity, tokenInput, viewer } from './identity.ts'

async function open() {
  const identity = await openIdentity()
  return { ...identity, service: createAccountService(identity) }
}

function isForbidden(error: unknown): boolean {
  return error instanceof RequestError && error.code === 'FORBIDDEN'
}

describe('account service', () => {
  it("shows the viewer's own account and keys", async () => {
    const { service, accounts } = await open()
    const other = viewer({ accountId: (await accounts.create({ name: 'Other', billing: 'PREPAID', limits: {} })).id })
    const { apiKey } = await service.createApiKey(viewer(), keyInput())
    expect(await service.account(viewer())).toMatchObject({ id: LOCAL_ACCOUNT_ID, billing: 'METERED' })
    expect(await service.apiKeys(viewer())).toEqual([apiKey])
    expect(await service.findApiKey(viewer(), apiKey.id)).toEqual(apiKey)
    expect(await service.apiKeys(other)).toEqual([])
    expect(await service.findApiKey(other, apiKey.id)).toBeUndefined()
    await expect(service.revokeApiKey(other, apiKey.id)).rejects.toThrow(NotFoundError)
    expect(await service.revokeApiKey(viewer(), apiKey.id)).toMatchObject({ id: apiKey.id })
  })

  it('does nothing about keys without the scope admin', async () => {
    const { service } = await open()
    const reader = viewer({ scopes: ['generate', 'read'] })
    const refusals = await Promise.all(
      [
        service.apiKeys(reader),
        service.findApiKey(reader, 'key_1'),
        service.createApiKey(reader, keyInput()),
        service.revokeApiKey(reader, 'key_1'),
      ].map((call: Promise<unknown>) => call.then(() => 'done', isForbidden)),
    )
    expect(refusals).toEqual([true, true, true, true])
    expect(await service.apiKeys(viewer())).toEqual([])
  })

  it('lets a key without admin make tokens that are no wider than itself', async () => {
    const { service, tokens } = await open()
    const reader = viewer({ scopes: ['read'] })
    const { accessToken } = await service.createToken(reader, tokenInput({ endUser: 'ann' }))
    expect(await tokens.verify(accessToken)).toMatchObject({ endUser: 'ann', scopes: ['read'] })
    await expect(service.createToken(reader, tokenInput({ scopes: ['generate'] }))).rejects.toThrow(InvalidInputError)
  })

  it('lets a token make neither keys nor tokens', async () => {
    const { service } = await open()
    const token = viewer({ tokenId: 'tok_0', endUser: 'ann' })
    expect(await service.createApiKey(token, keyInput()).then(() => 'made', isForbidden)).toBe(true)
    expect(await service.createToken(token, tokenInput()).then(() => 'made', isForbidden)).toBe(true)
  })
})
