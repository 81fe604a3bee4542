import { z } from 'zod'
import { SCOPES, type Viewer } from '../viewer.ts'

/** What a token carries besides the registered claims; short names, because it travels with every request. */
const claims = z.object({
  /** Account. */
  sub: z.string().min(1),
  jti: z.string().min(1),
  /** Seconds since 1970. */
  exp: z.int(),
  /** API key that it was made with; null: the local account made it without one. */
  key: z.string().nullable(),
  /** End user. */
  usr: z.string().nullable(),
  scp: z.array(z.enum(SCOPES)).min(1),
  /** Model ids; null: all. */
  mdl: z.array(z.string()).nullable(),
  /** Cap in micro-units, and the token whose spending counts against it: a token's child shares its cap. */
  max: z.int().positive().nullable(),
  cap: z.string(),
})

export type TokenClaims = z.infer<typeof claims>

/** Undefined for what we would not have written. */
export function readTokenClaims(payload: unknown): TokenClaims | undefined {
  return claims.safeParse(payload).data
}

export function viewerOf(claims: TokenClaims, keyDailySpendMicros: number | null): Viewer {
  return {
    accountId: claims.sub,
    apiKeyId: claims.key,
    tokenId: claims.cap,
    endUser: claims.usr,
    scopes: claims.scp,
    models: claims.mdl,
    tokenMaxSpendMicros: claims.max,
    keyDailySpendMicros,
    expiresAt: claims.exp * 1_000,
  }
}
