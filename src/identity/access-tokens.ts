import { hkdfSync } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Secret } from '../secret.ts'
import type { Viewer } from '../viewer.ts'
import type { CreateTokenInput } from './account-types.ts'
import type { ApiKeys } from './api-keys.ts'
import { readTokenClaims, type TokenClaims, viewerOf } from './token-claims.ts'
import { parseTokenInput, type ResolveModel } from './token-input.ts'

export type AccessTokens = {
  /** InvalidInput. It ends with its maker at the latest; `expiresAt` says when. */
  create(maker: Viewer, input: CreateTokenInput): Promise<{ readonly accessToken: string; readonly expiresAt: number }>
  /** Undefined for anything but a living token of ours whose API key may still be used. */
  verify(token: string): Promise<Viewer | undefined>
}

const ALGORITHM = 'HS256'
const TYPE = 'pictor-access+jwt'
const PARTY = 'pictor'
/** Names the way in which the key is derived, so that another way can follow it. */
const KEY_ID = 'v1'
const KEY_BYTES = 32
/** Far above the longest that we make: 50 models and a long end user. */
const MAX_TOKEN_LENGTH = 8_192

export function createAccessTokens(deps: {
  readonly secret: Secret
  readonly clock: Clock
  readonly ids: Pick<Ids, 'next'>
  readonly apiKeys: Pick<ApiKeys, 'findUsable'>
  readonly resolveModel: ResolveModel
}): AccessTokens {
  const { clock, ids, apiKeys, resolveModel } = deps
  const key = deriveKey(deps.secret)

  async function readVerified(token: string): Promise<TokenClaims | undefined> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: PARTY,
        audience: PARTY,
        requiredClaims: ['exp', 'sub', 'jti'],
        currentDate: new Date(clock.now()),
      })
      return protectedHeader.kid === KEY_ID ? readTokenClaims(payload) : undefined
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }

  return {
    async create(maker, input) {
      const grant = parseTokenInput(input, maker, resolveModel)
      const nowSeconds = Math.floor(clock.now() / 1_000)
      const endsBy = maker.expiresAt === null ? Number.POSITIVE_INFINITY : Math.floor(maker.expiresAt / 1_000)
      const id = ids.next('tok')
      const claims: TokenClaims = {
        sub: maker.accountId,
        jti: id,
        exp: Math.min(nowSeconds + grant.expiresInSeconds, endsBy),
        key: maker.apiKeyId,
        usr: grant.endUser,
        scp: [...grant.scopes],
        mdl: grant.models === null ? null : [...grant.models],
        max: grant.maxSpendMicros,
        cap: maker.tokenMaxSpendMicros === null ? id : (maker.tokenId ?? id),
      }
      const accessToken = await new SignJWT(claims)
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: KEY_ID })
        .setIssuer(PARTY)
        .setAudience(PARTY)
        .setIssuedAt(nowSeconds)
        .sign(key)
      return { accessToken, expiresAt: claims.exp * 1_000 }
    },

    async verify(token) {
      const claims = token.length > MAX_TOKEN_LENGTH ? undefined : await readVerified(token)
      // A look-up all the same: every refusal takes as long as that of a token whose key is revoked.
      if (!claims) return void (await apiKeys.findUsable(''))
      if (claims.key === null) return viewerOf(claims, null)
      const apiKey = await apiKeys.findUsable(claims.key)
      return apiKey?.accountId === claims.sub ? viewerOf(claims, apiKey.dailySpendMicros) : undefined
    },
  }
}

/** A key for this use alone: a fault in another use of the secret does not sign tokens. */
function deriveKey(secret: Secret): Uint8Array {
  const purpose = `pictor access token ${KEY_ID}`
  return new Uint8Array(hkdfSync('sha256', secret.reveal(), new Uint8Array(), purpose, KEY_BYTES))
}
