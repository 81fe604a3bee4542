import type { BillingMode } from '../store/tables.ts'
import type { Scope } from '../viewer.ts'

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

/** A key of the account's own for a provider, without the key. */
export type ProviderKey = {
  readonly provider: string
  /** Its last characters, to tell keys apart. */
  readonly hint: string
  readonly createdAt: number
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
