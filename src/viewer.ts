export const SCOPES = ['generate', 'read', 'admin'] as const
/** `generate`: spend. `read`: see history, images, models. `admin`: keys and tokens of the account. */
export type Scope = (typeof SCOPES)[number]

/** The authenticated caller. Every query, mutation, subscription, node and image URL is answered for one of these. */
export type Viewer = {
  readonly accountId: string
  /** Key that authenticated, directly or by a token made with it; null for the local account. */
  readonly apiKeyId: string | null
  readonly tokenId: string | null
  /** Set by a token: this viewer sees and makes only this end user's generations. */
  readonly endUser: string | null
  readonly scopes: readonly Scope[]
  /** Model ids that a token is restricted to; null: all. */
  readonly models: readonly string[] | null
  /** What the token may spend in its life, in micro-units; null: no cap of its own. */
  readonly tokenMaxSpendMicros: number | null
  /** What the key may spend in a UTC day, in micro-units; null: no cap of its own. */
  readonly keyDailySpendMicros: number | null
  /** Milliseconds since 1970; null: does not end by itself. */
  readonly expiresAt: number | null
}
