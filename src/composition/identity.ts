import type { Config } from '../config.ts'
import { createAccessTokens } from '../identity/access-tokens.ts'
import { createAccountService } from '../identity/account-service.ts'
import { createAccounts } from '../identity/accounts.ts'
import { createApiKeys } from '../identity/api-keys.ts'
import { createAuthenticator } from '../identity/authenticate.ts'
import { createGuessLimit } from '../identity/guess-limit.ts'
import { createProviderKeys } from '../identity/provider-keys.ts'
import { createRateLimits } from '../identity/rate-limits.ts'
import { createSecretBox } from '../identity/secret-box.ts'
import { createMemoryCounters } from '../identity/window-counters.ts'
import type { Foundations } from './foundations.ts'

/** Who may: accounts, keys, tokens and how often they may ask. */
export function createIdentity(
  config: Pick<Config, 'auth' | 'host' | 'previousSecrets' | 'rateLimits'>,
  foundations: Foundations,
) {
  const { clock, ids, logger, secret, database, catalog, providers } = foundations
  const accounts = createAccounts({ database, clock, ids })
  const apiKeys = createApiKeys({ database, clock, ids, logger })
  const resolveModel = (name: string) => catalog.resolve({ model: name, provider: null }).model.id
  const tokens = createAccessTokens({ secret, clock, ids, apiKeys, resolveModel })
  const secretBox = createSecretBox({ secret, previous: config.previousSecrets })
  const keyed = providers.list().filter((provider) => provider.keyed)
  const providerKeys = createProviderKeys({
    database,
    clock,
    box: secretBox,
    findProvider: (name) => providers.findNamed(name),
    keyedProviders: keyed.map(({ id }) => id),
  })
  const openCounters = () => createMemoryCounters({ clock })
  const { failures: failuresPerMinute, ...quotas } = config.rateLimits
  const authenticate = createAuthenticator({ mode: config.auth, loopback: isLoopback(config.host), apiKeys, tokens })
  return {
    accounts,
    apiKeys,
    secretBox,
    providerKeys,
    accountService: createAccountService({ database, apiKeys, tokens, providerKeys }),
    rateLimits: createRateLimits({ accounts, openCounters, quotas, clock }),
    authenticate: createGuessLimit({ authenticate, apiKeys, counters: openCounters(), failuresPerMinute, clock }),
  }
}

/** Does nobody but this machine reach the address? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
