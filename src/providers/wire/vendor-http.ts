import type { Clock } from '../../clock.ts'
import { parseJson } from './json-values.ts'
import { withinTime } from './time-limit.ts'
import { toTransportFailure } from './transport-failure.ts'
import type { VendorFetch } from './vendor-fetch.ts'

export type VendorRequest = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | FormData
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** A whole answer, read to its end and bounded. */
export type VendorAnswer = {
  readonly status: number
  readonly ok: boolean
  readonly headers: Headers
  readonly bytes: Uint8Array
  /** Parsed JSON; undefined where it is none. */
  json(): unknown
}

export type VendorHttp = (request: VendorRequest) => Promise<VendorAnswer>

/** For vendors without an SDK: one request, one whole answer. Throws ProviderError, and only where no answer came. */
export function createVendorHttp(deps: { vendor: string; fetch: VendorFetch; clock: Clock }): VendorHttp {
  const toFailure = (error: unknown) => toTransportFailure(error, deps.vendor)
  return ({ method, url, headers, body, timeoutMs, signal }) =>
    withinTime(
      { clock: deps.clock, timeoutMs, signal },
      async (limited) => {
        const init = { method, headers, signal: limited, ...(body !== undefined && { body }) }
        return readAnswer(await deps.fetch(url, init), signal)
      },
      toFailure,
    )
}

async function readBytes(response: Response, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer())
  } catch (error) {
    // A refusal stands by its status, whatever became of its words.
    if (response.ok || signal?.aborted) throw error
    return new Uint8Array()
  }
}

/** Reads it to its end. */
export async function readAnswer(response: Response, signal?: AbortSignal): Promise<VendorAnswer> {
  const { status, ok, headers } = response
  const bytes = await readBytes(response, signal)
  return {
    status,
    ok,
    headers,
    bytes,
    json: () => parseJson(Buffer.from(bytes).toString('utf8')),
  }
}
