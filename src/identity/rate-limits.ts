import type { Clock } from '../clock.ts'
import { RateLimitedError, type RateLimitName, type RateStanding } from '../errors.ts'
import type { Viewer } from '../viewer.ts'
import type { Accounts } from './accounts.ts'
import { WINDOW_MS, type Window, type WindowCounters } from './window-counters.ts'

/**
 * What a caller may ask in a minute. *Requests* make work: a generation, an upload, an estimate that looks at pictures.
 * *Operations* are all that is asked over GraphQL, on whichever transport.
 */
export type RateLimits = {
  /** Counts one request. RateLimitedError above what the end user or the account may. */
  consume(viewer: Viewer): Promise<void>
  /** Counts one operation. RateLimitedError above what the end user, the token or the key may. */
  countOperation(viewer: Viewer): Promise<void>
  /** Where the viewer stands with each limit that holds for it. Counts nothing. */
  standing(viewer: Viewer): Promise<readonly RateStanding[]>
}

/** In a minute; null: no limit. What an account may stands with the account. */
export type RateQuotas = {
  /** Operations of an API key, those of its tokens included. */
  readonly key: number | null
  /** Operations of an access token. */
  readonly token: number | null
  /** Operations of an end user, over all of its tokens. */
  readonly endUser: number | null
  /** Requests of an end user, so that one does not use up what all of the account's share. */
  readonly endUserRequests: number | null
}

type ViewerLimit = Exclude<RateLimitName, 'address'>
type Rule = { readonly limit: ViewerLimit; readonly subject: string; readonly quota: number }

export function createRateLimits(deps: {
  readonly accounts: Pick<Accounts, 'limitsOf'>
  /** Called once for each limit. */
  openCounters(): WindowCounters
  readonly quotas: RateQuotas
  readonly clock: Clock
}): RateLimits {
  const { accounts, quotas, clock } = deps
  const counters = {
    account: deps.openCounters(),
    'end-user-requests': deps.openCounters(),
    'end-user': deps.openCounters(),
    token: deps.openCounters(),
    key: deps.openCounters(),
  }

  async function requestRules({ accountId, endUser }: Viewer): Promise<readonly Rule[]> {
    const { requestsPerMinute } = await accounts.limitsOf(accountId)
    return [
      ...rule('end-user-requests', endUser === null ? null : [accountId, endUser], quotas.endUserRequests),
      ...rule('account', [accountId], requestsPerMinute),
    ]
  }

  function operationRules({ accountId, endUser, tokenId, apiKeyId }: Viewer): readonly Rule[] {
    return [
      ...rule('end-user', endUser === null ? null : [accountId, endUser], quotas.endUser),
      ...rule('token', tokenId === null ? null : [tokenId], quotas.token),
      ...rule('key', apiKeyId === null ? null : [apiKeyId], quotas.key),
    ]
  }

  /** The narrowest first: whoever is refused by its own limit uses up nothing of what it shares with others. */
  async function count(rules: readonly Rule[]): Promise<void> {
    for (const { limit, subject, quota } of rules) {
      const window = await counters[limit].add(subject)
      if (window.count <= quota) continue
      throw new RateLimitedError({ limit, limitPerMinute: quota, retryAfterMs: resetOf(window) })
    }
  }

  function resetOf(window: Window | undefined): number {
    return window ? Math.max(1, window.endsAt - clock.now()) : WINDOW_MS
  }

  async function standingOf({ limit, subject, quota }: Rule): Promise<RateStanding> {
    const window = await counters[limit].read(subject)
    return { limit, quota, remaining: Math.max(0, quota - (window?.count ?? 0)), resetMs: resetOf(window) }
  }

  return {
    consume: async (viewer) => count(await requestRules(viewer)),
    countOperation: (viewer) => count(operationRules(viewer)),
    standing: async (viewer) =>
      Promise.all([...operationRules(viewer), ...(await requestRules(viewer))].map(standingOf)),
  }
}

/** None where nobody is meant, or nothing is limited. */
function rule(limit: ViewerLimit, whom: readonly string[] | null, quota: number | null): readonly Rule[] {
  return whom === null || quota === null ? [] : [{ limit, subject: whom.join(' '), quota }]
}
