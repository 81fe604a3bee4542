import type { BillingMode } from '../store/tables.ts'
import type { Scope, Viewer } from '../viewer.ts'

export type Account = {
  readonly id: string
  readonly name: string
  readonly billing: BillingMode
  readonly balanceMicros: number
  readonly heldMicros: number
  readonly requestsPerMinute: number
  readonly concurrentGenerations: number
  readonly subscriptions: number
  readonly dailySpendMicros: number | null
}

export type ApiKey = {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly prefix: string
  readonly scopes: readonly Scope[]
  readonly dailySpendMicros: number | null
  readonly createdAt: number
  readonly lastUsedAt: number | null
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

export type CreateApiKeyInput = {
  readonly name: string
  readonly scopes: readonly string[] | null
  readonly expiresAt: number | null
  /** Decimal text. */
  readonly dailySpend: string | null
}

export type CreateTokenInput = {
  readonly endUser: string | null
  readonly expiresInSeconds: number
  readonly scopes: readonly string[] | null
  readonly models: readonly string[] | null
  /** Decimal text. */
  readonly maxSpend: string | null
}

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
  createToken(viewer: Viewer, input: CreateTokenInput): Promise<{ readonly accessToken: string; readonly expiresAt: number }>
}
