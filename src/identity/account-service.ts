import { RequestError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { getAccount } from '../store/account-store.ts'
import type { Database } from '../store/handles.ts'
import type { Viewer } from '../viewer.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Account, ApiKey, CreateApiKeyInput, CreateTokenInput, ProviderKey } from './account-types.ts'
import type { ApiKeys } from './api-keys.ts'
import type { ProviderKeys } from './provider-keys.ts'

/** The viewer's account, keys and tokens, as the doors ask for them. FORBIDDEN where a scope is missing. */
export type AccountService = {
  account(viewer: Viewer): Promise<Account>
  apiKeys(viewer: Viewer): Promise<readonly ApiKey[]>
  findApiKey(viewer: Viewer, id: string): Promise<ApiKey | undefined>
  /** InvalidInput. The secret is given out this once. */
  createApiKey(viewer: Viewer, input: CreateApiKeyInput): Promise<{ readonly apiKey: ApiKey; readonly secret: string }>
  /** NotFound. */
  revokeApiKey(viewer: Viewer, id: string): Promise<ApiKey>
  /** InvalidInput. */
  createToken(
    viewer: Viewer,
    input: CreateTokenInput,
  ): Promise<{ readonly accessToken: string; readonly expiresAt: number }>
  providerKeys(viewer: Viewer): Promise<readonly ProviderKey[]>
  /** InvalidInput. */
  setProviderKey(viewer: Viewer, provider: string, apiKey: Secret): Promise<ProviderKey>
  /** NotFound. Answers with the provider's id. */
  removeProviderKey(viewer: Viewer, provider: string): Promise<string>
}

export function createAccountService(deps: {
  readonly database: Pick<Database, 'read'>
  readonly apiKeys: ApiKeys
  readonly tokens: Pick<AccessTokens, 'create'>
  readonly providerKeys: Pick<ProviderKeys, 'list' | 'set' | 'remove'>
}): AccountService {
  const { database, apiKeys, tokens, providerKeys } = deps
  return {
    account: (viewer) => getAccount(database.read, viewer.accountId),
    async apiKeys(viewer) {
      assertAdmin(viewer)
      return apiKeys.list(viewer.accountId)
    },
    async findApiKey(viewer, id) {
      assertAdmin(viewer)
      return apiKeys.find(viewer.accountId, id)
    },
    async createApiKey(viewer, input) {
      assertAdmin(viewer)
      // A token is bound to an end user, models, a spend and a day; a key knows no such bounds.
      if (viewer.tokenId !== null) throw new RequestError('FORBIDDEN', 'An access token cannot make API keys.')
      return apiKeys.create(viewer.accountId, input, viewer)
    },
    async revokeApiKey(viewer, id) {
      assertAdmin(viewer)
      return apiKeys.revoke(viewer.accountId, id)
    },
    async createToken(viewer, input) {
      // A token could otherwise make itself one for another end user, or one that outlives it.
      if (viewer.tokenId !== null) throw new RequestError('FORBIDDEN', 'An access token cannot make access tokens.')
      return tokens.create(viewer, input)
    },
    async providerKeys(viewer) {
      assertAdmin(viewer)
      return providerKeys.list(viewer.accountId)
    },
    async setProviderKey(viewer, provider, apiKey) {
      assertAdmin(viewer)
      return providerKeys.set(viewer.accountId, provider, apiKey)
    },
    async removeProviderKey(viewer, provider) {
      assertAdmin(viewer)
      return providerKeys.remove(viewer.accountId, provider)
    },
  }
}

function assertAdmin(viewer: Viewer): void {
  if (viewer.scopes.includes('admin')) return
  throw new RequestError('FORBIDDEN', 'This key or token does not have the scope "admin".')
}
