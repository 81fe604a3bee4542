import { Agent, type Dispatcher } from 'undici'
import { TOO_LARGE } from './transport-failure.ts'

/** Bounds of one HTTP exchange with a vendor. */
export type VendorFetchLimits = {
  readonly connectMs: number
  /** From the last byte sent to the first byte of the answer: a synchronous vendor paints in this time. */
  readonly headersMs: number
  /** Between two pieces of the answer. */
  readonly bodyMs: number
  /** Of a whole answer, once it is unpacked. */
  readonly maxBytes: number
  /** Of one that is no success: nothing but words is read of it. */
  readonly maxFailureBytes: number
  /** Of an answer that is JSON. A few megabytes of `[],[],…` would fill the memory with values. */
  readonly maxValues: number
}

/** Enough for the slowest synchronous vendor (2 minutes) and ten large pictures in base64. */
export const VENDOR_FETCH_LIMITS: VendorFetchLimits = {
  connectMs: 10_000,
  headersMs: 300_000,
  bodyMs: 120_000,
  maxBytes: 256 * 1024 * 1024,
  maxFailureBytes: 1024 * 1024,
  maxValues: 1_000_000,
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
    const maxBytes = response.ok ? limits.maxBytes : limits.maxFailureBytes
    const bounded = response.body.pipeThrough(limitAnswer({ ...limits, maxBytes }))
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

/**
 * No JSON has more values than it has commas and openings together. What is no JSON has these bytes by chance: one of the
 * largest pictures that are taken (64 MiB) three quarters of a million.
 */
function limitAnswer(
  limits: Pick<VendorFetchLimits, 'maxBytes' | 'maxValues'>,
): TransformStream<Uint8Array, Uint8Array> {
  let sizeBytes = 0
  let values = 0
  return new TransformStream({
    transform(chunk, controller) {
      sizeBytes += chunk.byteLength
      values += VALUE_BYTES.reduce((sum, byte) => sum + countByte(chunk, byte), 0)
      if (sizeBytes > limits.maxBytes) controller.error(tooLarge(`${limits.maxBytes} bytes`))
      else if (values > limits.maxValues) controller.error(tooLarge(`${limits.maxValues} values`))
      else controller.enqueue(chunk)
    },
  })
}

const VALUE_BYTES = [...Buffer.from(',[{')]

/** By the native search: base64, of which answers are made, has none of them. */
function countByte(chunk: Uint8Array, byte: number): number {
  let count = 0
  for (let at = chunk.indexOf(byte); at !== -1; at = chunk.indexOf(byte, at + 1)) count += 1
  return count
}

function tooLarge(what: string): Error {
  return Object.assign(new Error(`The answer has more than ${what}.`), { code: TOO_LARGE })
}
