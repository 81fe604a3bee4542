import { type Dispatcher, request as send } from 'undici'
import { type Clock, openTimeLimit } from '../clock.ts'
import {
  allowPublicAnd,
  assertAllowedHost,
  createGuardedAgent,
  type Resolver,
  systemResolver,
} from './guarded-agent.ts'
import { addressesOf, readUrl, rejectWhenAborted, toOutboundError } from './outbound-fetch.ts'
import { assertNotOurs, type OwnAddresses, withoutOurselves } from './own-addresses.ts'
import { readRetryAfter } from './retry-after.ts'

export type OutboundMessage = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** For the whole of it. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** What the other side said. Its words are not read. `retryAfterMs` as it came, not bounded. */
export type OutboundAnswer = { readonly status: number; readonly retryAfterMs: number | null }

/**
 * Sends a message to a stranger's address: one request, to public addresses only (checked at each connect), with no
 * redirect followed. Throws OutboundError where no answer came.
 */
export type OutboundPost = (url: string, message: OutboundMessage) => Promise<OutboundAnswer>

const CONNECT_MS = 10_000

/**
 * `trustedOrigins`: of the operator's own network; messages to these may go to addresses that are not public. `own`: where
 * this server is reached, to where nothing is sent.
 */
export function createOutboundPost(deps: {
  readonly clock: Clock
  readonly trustedOrigins?: readonly string[]
  readonly own?: OwnAddresses
  readonly resolve?: Resolver
}): OutboundPost {
  const { clock, trustedOrigins = [], own: ourselves = () => [], resolve = systemResolver } = deps

  return async (url, { headers, body, timeoutMs, signal }) => {
    const limit = openTimeLimit(clock, timeoutMs, signal)
    let agent: Dispatcher | undefined
    try {
      const target = readUrl(url)
      assertNotOurs(target, ourselves)
      const own = trustedOrigins.includes(target.origin) ? target.origin : null
      const trusted = await Promise.race([addressesOf(own, resolve), rejectWhenAborted(limit.signal)])
      const allows = allowPublicAnd(withoutOurselves(trusted, target, ourselves))
      agent = createGuardedAgent(allows, { connectMs: CONNECT_MS, resolve })
      assertAllowedHost(target, allows)
      const answer = await send(target, { method: 'POST', dispatcher: agent, signal: limit.signal, headers, body })
      // The status is the answer: a body of any length is cut off with the connection.
      answer.body.on('error', () => undefined).destroy()
      return { status: answer.statusCode, retryAfterMs: readRetryAfter(toHeaders(answer.headers), clock.now()) }
    } catch (error) {
      throw toOutboundError(error, limit.isOver(), signal?.aborted ?? false)
    } finally {
      limit.close()
      void agent?.destroy()
    }
  }
}

function toHeaders(headers: Dispatcher.ResponseData['headers']): Pick<Headers, 'get'> {
  return {
    get(name) {
      const value = headers[name]
      return typeof value === 'string' ? value : null
    },
  }
}
