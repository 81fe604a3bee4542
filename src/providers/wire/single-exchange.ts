import type { ProviderError } from '../provider-error.ts'
import { createMisunderstanding, createUnsendable } from './call-failures.ts'
import type { VendorFetch } from './vendor-fetch.ts'
import type { VendorAnswer, VendorHttp } from './vendor-http.ts'

export type SingleExchange = {
  readonly vendor: string
  readonly http: VendorHttp
  /** Where it really goes, of where the SDK would send it; the key goes there too. What it throws keeps it from going. */
  readonly urlOf: (asked: string) => string
  /** They hold the key, which the SDK is not told: it could neither lose it in an error nor send it anywhere else. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly toFailure: (answer: VendorAnswer) => Error
}

/**
 * One HTTP exchange through an SDK that repeats what failed, or keeps half of what was answered to itself: however often
 * it calls its `fetch`, one request leaves, and every further call has the same outcome. What went wrong is thrown as the
 * exchange saw it, with headers and body at hand, not as the SDK tells it. Answers with the JSON, whatever the SDK makes of
 * it. Throws ProviderError, and what `toFailure` makes of an answer.
 */
export async function exchangeOnce(
  given: SingleExchange,
  call: (fetch: VendorFetch) => Promise<unknown>,
): Promise<unknown> {
  let exchange: Promise<VendorAnswer> | undefined
  const fetchOnce: VendorFetch = async (input, init = {}) => {
    exchange ??= send(given, given.urlOf(input instanceof Request ? input.url : String(input)), init)
    const { bytes } = await exchange
    return new Response(Uint8Array.from(bytes), { headers: { 'content-type': 'application/json' } })
  }
  try {
    await call(fetchOnce)
  } catch (error) {
    if (exchange === undefined) throw refusedBySdk(given.vendor, error)
    await exchange
    throw createMisunderstanding(given.vendor, null)
  }
  return (await exchange)?.json()
}

async function send(given: SingleExchange, url: string, init: RequestInit): Promise<VendorAnswer> {
  const { vendor, http, timeoutMs, signal } = given
  const headers = new Headers(init.headers)
  for (const [name, value] of Object.entries(given.headers)) headers.set(name, value)
  const answer = await http({
    method: init.method === 'POST' || init.method === 'PUT' ? init.method : 'GET',
    url,
    headers: Object.fromEntries(headers),
    ...(typeof init.body === 'string' && { body: init.body }),
    timeoutMs,
    signal,
  })
  if (!answer.ok) throw given.toFailure(answer)
  if (answer.json() === undefined) throw createMisunderstanding(vendor, null)
  return answer
}

/** Such as a name of a model that cannot be one. */
function refusedBySdk(vendor: string, cause: unknown): ProviderError {
  const why = cause instanceof Error ? ` ${cause.message}` : ''
  return createUnsendable(`The request for ${vendor} could not be made.${why}`, cause)
}
