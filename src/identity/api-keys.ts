import { createHash, randomBytes as systemRandomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { NotFoundError } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Logger } from '../logger.ts'
import { findApiKey, hasApiKeys, insertApiKey, listApiKeys, revokeApiKey } from '../store/api-key-store.ts'
import type { Database } from '../store/handles.ts'
import type { ApiKeyRow } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import type { ApiKey, CreateApiKeyInput } from './account-types.ts'
import { parseApiKeyInput } from './api-key-input.ts'
import { createApiKeyUses } from './api-key-uses.ts'
import { isScope } from './field-checks.ts'
import { createKnownApiKeys, isUsable } from './known-api-keys.ts'

export type ApiKeys = {
  /** InvalidInput. `maker` null: the operator. The secret is given out this once; only its hash is kept. */
  create(accountId: string, input: CreateApiKeyInput, maker: Viewer | null): Promise<CreatedApiKey>
  /** Revoked and expired ones too, in order of making. */
  list(accountId: string): Promise<readonly ApiKey[]>
  find(accountId: string, id: string): Promise<ApiKey | undefined>
  /** NotFound. A key that was revoked before stays as it is. Here it is refused at once, elsewhere within ten seconds. */
  revoke(accountId: string, id: string): Promise<ApiKey>
  /** The key with this secret, unless revoked or expired; the work is the same whatever the text. */
  authenticate(secret: string): Promise<ApiKey | undefined>
  /** Was a key with this secret seen here lately, usable or not? Asks nobody. */
  remembers(secret: string): boolean
  /** By id, unless revoked or expired: for tokens that were made with it. */
  findUsable(id: string): Promise<ApiKey | undefined>
  /** Was a key ever made, for whichever account and however it ended? */
  anyExist(): Promise<boolean>
  /** Resolves when the uses that were noted are written. */
  settle(): Promise<void>
}

export type CreatedApiKey = { readonly apiKey: ApiKey; readonly secret: string }

const SECRET_BYTES = 32
const SHOWN_LENGTH = 'pk_'.length + 6

export function createApiKeys(deps: {
  readonly database: Database
  readonly clock: Clock
  readonly ids: Pick<Ids, 'next'>
  readonly logger: Pick<Logger, 'warn'>
  readonly randomBytes?: (size: number) => Buffer
}): ApiKeys {
  const { database, clock, ids, randomBytes = systemRandomBytes } = deps
  const known = createKnownApiKeys({ database, clock })
  const uses = createApiKeyUses(deps)
  let anyExist = false
  let looking: Promise<boolean> | undefined

  /** One look serves all requests of one turn of the event loop: a key that the command line makes counts at the next. */
  function look(): Promise<boolean> {
    setImmediate(() => {
      looking = undefined
    })
    return hasApiKeys(database.read)
  }

  function admit(row: ApiKeyRow | undefined): ApiKey | undefined {
    const now = clock.now()
    if (!row || !isUsable(row, now)) return undefined
    uses.note(row, now)
    return apiKeyOf(row)
  }

  return {
    async create(accountId, input, maker) {
      const { scopes, ...grant } = parseApiKeyInput(input, maker, clock.now())
      const secret = `pk_${randomBytes(SECRET_BYTES).toString('base64url')}`
      const row: ApiKeyRow = {
        id: ids.next('key'),
        accountId,
        ...grant,
        scopes: JSON.stringify(scopes),
        prefix: secret.slice(0, SHOWN_LENGTH),
        secretHash: hashSecret(secret),
        createdAt: clock.now(),
        lastUsedAt: null,
        revokedAt: null,
      }
      await database.transact((trx) => insertApiKey(trx, row))
      anyExist = true
      return { apiKey: apiKeyOf(row), secret }
    },
    list: async (accountId) => (await listApiKeys(database.read, accountId)).map(apiKeyOf),
    async find(accountId, id) {
      const row = await findApiKey(database.read, id)
      return row?.accountId === accountId ? apiKeyOf(row) : undefined
    },
    async revoke(accountId, id) {
      const row = await database.transact((trx) => revokeApiKey(trx, { accountId, id, at: clock.now() }))
      if (!row) throw new NotFoundError('API key')
      known.forget(row)
      return apiKeyOf(row)
    },
    authenticate: async (secret) => admit(await known.findByHash(hashSecret(secret))),
    remembers: (secret) => known.remembers(hashSecret(secret)),
    findUsable: async (id) => admit(await known.findById(id)),
    async anyExist() {
      if (anyExist) return true
      looking ??= look()
      anyExist ||= await looking
      return anyExist
    },
    settle: () => uses.settle(),
  }
}

/** Looking up a hash tells nothing by its time: who cannot choose the hash cannot walk towards a stored one. */
function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex')
}

function apiKeyOf(row: ApiKeyRow): ApiKey {
  const { secretHash: _, scopes, ...shown } = row
  const names: unknown = JSON.parse(scopes)
  return { ...shown, scopes: Array.isArray(names) ? names.filter(isScope) : [] }
}
