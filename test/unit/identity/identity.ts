import { onTestFinished } from 'vitest'
import { ModelUnavailableError } from '../../../src/errors.ts'
import { type AccessTokens, createAccessTokens } from '../../../src/identity/access-tokens.ts'
import type { CreateApiKeyInput, CreateTokenInput } from '../../../src/identity/account-types.ts'
import { type Accounts, createAccounts, LOCAL_ACCOUNT_ID } from '../../../src/identity/accounts.ts'
import { type ApiKeys, createApiKeys } from '../../../src/identity/api-keys.ts'
import { createProviderKeys, type ProviderKeys } from '../../../src/identity/provider-keys.ts'
import { createSecretBox } from '../../../src/identity/secret-box.ts'
import { Secret } from '../../../src/secret.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { createFakeIds } from '../../support/fake-ids.ts'

export const SERVER_SECRET = 'a secret of this server, 32 bytes and more'
export const SECOND = 1_000
export const HOUR = 3_600 * SECOND

export type Identity = {
  readonly database: Database
  readonly clock: FakeClock
  readonly warnings: unknown[]
  readonly accounts: Accounts
  readonly apiKeys: ApiKeys
  readonly tokens: AccessTokens
  readonly providerKeys: ProviderKeys
}

/** The parts of identity over an empty database in memory that holds the local account, gone when the test is. */
export async function openIdentity(): Promise<Identity> {
  const clock = createFakeClock()
  const ids = createFakeIds()
  const warnings: unknown[] = []
  const logger = { warn: (...line: unknown[]) => void warnings.push(line) }
  const database = await openDatabase({ url: 'sqlite::memory:', clock })
  const apiKeys = createApiKeys({ database, clock, ids, logger })
  onTestFinished(async () => {
    await apiKeys.settle()
    await database.close()
  })
  const accounts = createAccounts({ database, clock, ids })
  await accounts.ensureLocal()
  const tokens = createAccessTokens({ secret: new Secret(SERVER_SECRET), clock, ids, apiKeys, resolveModel })
  const box = createSecretBox({ secret: new Secret(SERVER_SECRET), previous: [] })
  const providerKeys = createProviderKeys({ database, clock, box, findProvider, keyedProviders: ['flux', 'openai'] })
  return { database, clock, warnings, accounts, apiKeys, tokens, providerKeys }
}

/** Two that take a key, one of them by another name too, and one that takes none. */
function findProvider(name: string) {
  const id = name === 'bfl' ? 'flux' : name
  return ['flux', 'openai', 'sandbox'].includes(id) ? { id, keyed: id !== 'sandbox' } : undefined
}

function resolveModel(name: string): string {
  if (name === 'painter' || name === 'sandbox/painter') return 'sandbox/painter'
  if (name === 'openai/gpt-image-1') return name
  const suggestions = ['sandbox/painter']
  throw new ModelUnavailableError({ message: `There is no model "${name}".`, reason: 'UNKNOWN', suggestions })
}

export function keyInput(details: Partial<CreateApiKeyInput> = {}): CreateApiKeyInput {
  return { name: 'web', scopes: null, expiresAt: null, dailySpend: null, ...details }
}

export function tokenInput(details: Partial<CreateTokenInput> = {}): CreateTokenInput {
  return { endUser: null, expiresInSeconds: 900, scopes: null, models: null, maxSpend: null, ...details }
}

export function viewer(details: Partial<Viewer> = {}): Viewer {
  return {
    accountId: LOCAL_ACCOUNT_ID,
    apiKeyId: null,
    tokenId: null,
    endUser: null,
    scopes: ['generate', 'read', 'admin'],
    models: null,
    tokenMaxSpendMicros: null,
    keyDailySpendMicros: null,
    expiresAt: null,
    ...details,
  }
}
