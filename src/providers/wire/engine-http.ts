import type { ProviderError } from '../provider-error.ts'
import { toStatusFailure } from './status-failure.ts'
import type { EngineDeps } from './vendor-deps.ts'
import { createVendorHttp, type VendorAnswer, type VendorRequest } from './vendor-http.ts'

/** With what an engine on its owner's hardware is asked, and until when. */
export type EngineAccess = { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal }

/**
 * How long it may take for one request that it answers with the pictures: a large batch on a small card, behind whatever
 * else it does. Its `VendorFetch` has to wait as long for the first byte.
 */
export const ENGINE_ANSWER_MS = 30 * 60_000
const ASK_MS = 20_000

/** Everything throws ProviderError. */
export function createEngineHttp(
  deps: Omit<EngineDeps, 'id' | 'apiKey'>,
  toFailure: (vendor: string, answer: VendorAnswer, now: number) => ProviderError,
) {
  const { name, clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: name, fetch: deps.fetch, clock })

  /** Whatever it answers. */
  function send(
    method: VendorRequest['method'],
    path: string,
    { headers, signal }: EngineAccess,
    more: Partial<Pick<VendorRequest, 'body' | 'timeoutMs'>> = {},
  ): Promise<VendorAnswer> {
    const type = typeof more.body === 'string' ? { 'content-type': 'application/json' } : {}
    return http({
      method,
      url: `${baseUrl}${path}`,
      headers: { ...type, ...headers },
      timeoutMs: ASK_MS,
      signal,
      ...more,
    })
  }

  async function succeed(sent: Promise<VendorAnswer>): Promise<VendorAnswer> {
    const answer = await sent
    if (!answer.ok) throw toFailure(name, answer, clock.now())
    return answer
  }

  return {
    send,
    get: (path: string, access: EngineAccess, timeoutMs = ASK_MS) => succeed(send('GET', path, access, { timeoutMs })),
    /** As JSON, where it is no form. */
    post: (path: string, content: object, access: EngineAccess, timeoutMs = ASK_MS) => {
      const body = content instanceof FormData ? content : JSON.stringify(content)
      return succeed(send('POST', path, access, { body, timeoutMs }))
    },
  }
}

/** How an engine says that something is wrong, as far as it says so. */
export type EngineRejection = { readonly code: string | null; readonly words: string | null }

/** 404 and 405: something else listens there, or it was started without the interface that is needed, and took nothing. */
export function toEngineFailure(
  vendor: string,
  { status, headers }: VendorAnswer,
  { code, words, now }: EngineRejection & { readonly now: number },
): ProviderError {
  const isElsewhere = status === 404 || status === 405
  const refusal = { status, headers, code, message: words, now }
  return toStatusFailure(vendor, isElsewhere ? { ...refusal, kind: 'UNAVAILABLE', delivery: 'NOT_ACCEPTED' } : refusal)
}
