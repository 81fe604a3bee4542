import { type Dispatcher, request as send } from 'undici'
import { type Clock, openTimeLimit } from '../clock.ts'
import {
  allowPublicAnd,
  assertAllowedHost,
  createGuardedAgent,
  forbidden,
  type Resolver,
  systemResolver,
} from './guarded-agent.ts'
import { OutboundError } from './outbound-error.ts'
import { assertNotOurs, type OwnAddresses, withoutOurselves } from './own-addresses.ts'
import { literalAddress } from './public-address.ts'

export type OutboundRequest = {
  readonly maxBytes: number
  /** For the whole of it: every redirect and the last byte. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Of the `Accept` header. */
  readonly accept?: string
}

export type OutboundBody = { readonly bytes: Uint8Array; readonly contentType: string | null }

/**
 * Fetches what a stranger's URL points to: without credentials, from public addresses only (checked at each connect and
 * at each redirect), and bounded in size, time and redirects. Throws OutboundError.
 */
export type OutboundFetch = (url: string, request: OutboundRequest) => Promise<OutboundBody>

const MAX_REDIRECTS = 3
const CONNECT_MS = 10_000

/**
 * `trustedBaseUrl`: an address of the operator's own, such as a local engine's. The host it names may be fetched from
 * although it is not public, on any port but our own; nothing else that is not public may. `own`: where this server is
 * reached, from where nothing is fetched.
 */
export function createOutboundFetch(deps: {
  clock: Clock
  trustedBaseUrl?: string | null
  own?: OwnAddresses
  resolve?: Resolver
}): OutboundFetch {
  const { clock, trustedBaseUrl = null, own = () => [], resolve = systemResolver } = deps

  return async (url, { maxBytes, timeoutMs, signal, accept = '*/*' }) => {
    const limit = openTimeLimit(clock, timeoutMs, signal)
    let agent: Dispatcher | undefined
    try {
      let target = readUrl(url)
      const trusted = await Promise.race([addressesOf(trustedBaseUrl, resolve), rejectWhenAborted(limit.signal)])
      let allows = allowPublicAnd([])
      agent = createGuardedAgent((address) => allows(address), { connectMs: CONNECT_MS, resolve })
      for (let redirects = 0; ; redirects++) {
        assertNotOurs(target, own)
        allows = allowPublicAnd(withoutOurselves(trusted, target, own))
        assertAllowedHost(target, allows)
        const options = { dispatcher: agent, signal: limit.signal, headers: { accept } }
        const { statusCode, headers, body } = await send(target, options)
        const location = redirectOf(statusCode, headers)
        if (location === null) {
          if (statusCode !== 200) throw await wrongStatus(statusCode, body)
          return { bytes: await readBounded(body, headers, maxBytes), contentType: textOf(headers['content-type']) }
        }
        await body.dump()
        if (redirects === MAX_REDIRECTS) {
          throw new OutboundError('FORBIDDEN', `It redirects more than ${MAX_REDIRECTS} times.`)
        }
        target = readUrl(location, target)
      }
    } catch (error) {
      throw toOutboundError(error, limit.isOver(), signal?.aborted ?? false)
    } finally {
      limit.close()
      // What still runs on it has no reader any more.
      void agent?.destroy()
    }
  }
}

export function readUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') throw forbidden()
  return url
}

export async function addressesOf(baseUrl: string | null, resolve: Resolver): Promise<readonly string[]> {
  if (baseUrl === null) return []
  const { hostname } = new URL(baseUrl)
  const literal = literalAddress(hostname)
  if (literal !== null) return [literal]
  const found = await resolve(hostname, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}

/** A resolver takes no signal and may be silent for long. */
export function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

type Headers = Dispatcher.ResponseData['headers']
type Body = Dispatcher.ResponseData['body']

function redirectOf(status: number, headers: Headers): string | null {
  return [301, 302, 303, 307, 308].includes(status) ? textOf(headers.location) : null
}

function textOf(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}

async function wrongStatus(status: number, body: Body): Promise<OutboundError> {
  await body.dump({ limit: 16_384 }).catch(() => undefined)
  return new OutboundError('STATUS', `The server answered with the status ${status}.`, { status })
}

async function readBounded(body: Body, headers: Headers, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(textOf(headers['content-length']) ?? 0)
  if (declared > maxBytes) throw tooLarge(maxBytes)
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, sizeBytes)
}

function tooLarge(maxBytes: number): OutboundError {
  return new OutboundError('TOO_LARGE', `It has more than ${maxBytes} bytes.`)
}

export function toOutboundError(error: unknown, isOver: boolean, isAborted: boolean): OutboundError {
  if (error instanceof OutboundError) return error
  if (isAborted) return new OutboundError('ABORTED', 'It was given up.', { cause: error })
  if (isOver) return new OutboundError('TIMEOUT', 'It took too long.', { cause: error })
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (cause instanceof OutboundError) return cause
  return new OutboundError('UNREACHABLE', 'The server could not be reached, or broke off.', { cause: error })
}
