import type { Clock } from '../clock.ts'
import { InvalidInputError, NotFoundError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Database } from '../store/handles.ts'
import { deleteProviderKey, findProviderKey, listProviderKeys, putProviderKey } from '../store/provider-key-store.ts'
import type { ProviderKeyRow } from '../store/tables.ts'
import type { ProviderKey } from './account-types.ts'
import { checkProviderKey } from './field-checks.ts'
import { createKnownProviderKeys } from './known-provider-keys.ts'
import type { SecretBox } from './secret-box.ts'

/** Keys of accounts' own for providers. They are kept encrypted and never shown again. */
export type ProviderKeys = {
  list(accountId: string): Promise<readonly ProviderKey[]>
  /** InvalidInput. Takes the place of an earlier key for the same provider. */
  set(accountId: string, provider: string, apiKey: Secret): Promise<ProviderKey>
  /** NotFound. What waits to be paid by it fails. */
  remove(accountId: string, provider: string): Promise<string>
  /** Ids of the providers for which the account keeps a key: at once after a change here, elsewhere within ten seconds. */
  providersOf(accountId: string): Promise<ReadonlySet<string>>
  /** Undefined: the account keeps none. `UNREADABLE`: no secret of this server opens it any more. */
  open(accountId: string, provider: string): Promise<Secret | 'UNREADABLE' | undefined>
}

/** What a provider that is meant by a name is here; undefined where there is none. */
export type FindProvider = (name: string) => { readonly id: string; readonly keyed: boolean } | undefined

export function createProviderKeys(deps: {
  readonly database: Database
  readonly clock: Clock
  readonly box: SecretBox
  readonly findProvider: FindProvider
  /** Ids of the providers that take a key. */
  readonly keyedProviders: readonly string[]
}): ProviderKeys {
  const { database, clock, box, findProvider, keyedProviders } = deps
  const known = createKnownProviderKeys({ database, clock })

  return {
    list: async (accountId) => (await listProviderKeys(database.read, accountId)).map(toProviderKey),

    async set(accountId, name, apiKey) {
      const provider = findProvider(name)
      const problems = [
        provider?.keyed ? null : { path: 'provider', message: explain(provider), allowed: keyedProviders },
        checkProviderKey('apiKey', apiKey),
      ].filter((problem) => problem !== null)
      if (provider === undefined || problems.length > 0) throw new InvalidInputError(problems)
      const row: ProviderKeyRow = {
        accountId,
        provider: provider.id,
        ciphertext: box.seal(apiKey, { accountId, provider: provider.id, generationId: null }),
        hint: hintOf(apiKey),
        createdAt: clock.now(),
      }
      await database.transact((trx) => putProviderKey(trx, row))
      known.forget(accountId)
      return toProviderKey(row)
    },

    async remove(accountId, name) {
      // A provider that this server no longer has may still have left a key behind, under its id.
      const provider = findProvider(name)?.id ?? name
      const wasThere = await database.transact((trx) => deleteProviderKey(trx, { accountId, provider }))
      known.forget(accountId)
      if (!wasThere) throw new NotFoundError('provider key')
      return provider
    },

    providersOf: (accountId) => known.providersOf(accountId),

    async open(accountId, provider) {
      const row = await findProviderKey(database.read, { accountId, provider })
      return row && (box.open(row.ciphertext, { accountId, provider, generationId: null }) ?? 'UNREADABLE')
    },
  }
}

function explain(provider: { readonly id: string } | undefined): string {
  return provider === undefined ? 'There is no such provider on this server.' : `${provider.id} needs no key.`
}

const MIN_HINTED_LENGTH = 12
const SHOWN_LENGTH = 4

/** Of a key that is long enough to lose nothing by it, its end. */
function hintOf(apiKey: Secret): string {
  const text = apiKey.reveal()
  return `••••${text.length >= MIN_HINTED_LENGTH ? text.slice(-SHOWN_LENGTH) : ''}`
}

function toProviderKey({ provider, hint, createdAt }: ProviderKeyRow): ProviderKey {
  return { provider, hint, createdAt }
}
