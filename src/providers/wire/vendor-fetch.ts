import { Agent, type Dispatcher } from 'undici'
import { TOO_LARGE } from './transport-failure.ts'

/** Bounds of one HTTP exchange with a vendor. */
export type VendorFetchLimits = {
  readonly connectMs: number
  /** From the last byte sent to the first byte of the answer: a synchronous vendor paints in this time. */
  readonly headersMs: number
  /** Between two pieces of the answer. */
  readonly bodyMs: number
  /** Of a whole answer. */
  readonly maxBytes: number
}

/** Enough for the slowest synchronous vendor (2 minutes) and ten large pictures in base64. */
export const VENDOR_FETCH_LIMITS: VendorFetchLimits = {
  connectMs: 10_000,
  headersMs: 300_000,
  bodyMs: 120_000,
  maxBytes: 256 * 1024 * 1024,
}

export type VendorFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * `fetch` as every vendor's API is called, by SDKs too: explicit time limits, answers of bounded size, and no redirect
 * followed, since the next host would be shown the key. A redirect comes back as it is, an answer of another status.
 */
export function createVendorFetch(changes: Partial<VendorFetchLimits> = {}): VendorFetch {
  const limits = { ...VENDOR_FETCH_LIMITS, ...changes }
  const agent = new Agent({
    connect: { timeout: limits.connectMs },
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.bodyMs,
  })
  return async (input, init = {}) => {
    // Node's own fetch on this agent: the fetch that comes with undici does not know Node's FormData.
    const once = { redirect: 'manual', dispatcher: sendOnce(agent) }
    const response = await fetch(input, { ...init, ...once } as RequestInit)
    if (response.body === null) return response
    const { status, statusText, headers } = response
    const bounded = response.body.pipeThrough(countBytes(limits.maxBytes))
    const copy = new Response(bounded, { status, statusText, headers })
    Object.defineProperty(copy, 'url', { value: response.url })
    return copy
  }
}

/** After a 421 `fetch` sends again by itself, on a new connection: what it repeats may be a second paid call. */
function sendOnce(agent: Agent): Dispatcher {
  let hasSent = false
  return agent.compose((dispatch) => (options, handler) => {
    if (hasSent) throw new Error('One call is one request.')
    hasSent = true
    return dispatch(options, handler)
  })
}

function countBytes(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let sizeBytes = 0
  return new TransformStream({
    transform(chunk, controller) {
      sizeBytes += chunk.byteLength
      if (sizeBytes <= maxBytes) controller.enqueue(chunk)
      else
        controller.error(Object.assign(new Error(`The answer has more than ${maxBytes} bytes.`), { code: TOO_LARGE }))
    },
  })
}
