import { createFalClient, type FalClient } from '@fal-ai/client'
import type { Secret } from '../../secret.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { exchangeOnce, type SingleExchange } from '../wire/single-exchange.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { createVendorHttp } from '../wire/vendor-http.ts'
import { isOfVendor } from '../wire/vendor-url.ts'
import { VENDOR } from './fal-failures.ts'

/** What is needed to ask after a job: persisted. `app` as it was submitted to; addresses null where none was given. */
export type FalJob = {
  readonly id: string
  readonly app: string
  readonly statusUrl: string | null
  readonly responseUrl: string | null
  readonly cancelUrl: string | null
}

/** The calls of one key. Each is one exchange, whose JSON it answers with; `toFailure` reads any other answer. */
export type FalQueue = {
  submit(order: FalOrder, given: FalCall): Promise<unknown>
  status(job: FalJob, given: FalCall): Promise<unknown>
  result(job: FalJob, given: FalCall): Promise<unknown>
  cancel(job: FalJob, given: FalCall): Promise<unknown>
}

/** `webhookUrl`: where fal says that it has ended. */
export type FalOrder = { readonly app: string; readonly input: JsonRecord; readonly webhookUrl: string | null }

export type FalCall = Pick<SingleExchange, 'signal' | 'toFailure'>

const SUBMIT_MS = 60_000
const ASK_MS = 20_000
/** A result may hold its pictures. */
const RESULT_MS = 60_000
/** Where the client sends everything: it knows no other host. */
const CLIENT_ORIGIN = 'https://queue.fal.run'
/**
 * How long a job may wait until it is begun, what fal tries again for it among that; then it is dropped there, free of
 * charge. Shorter than we wait for a job, so that none begins that nobody follows any more.
 */
const START_LIMIT_S = 480

/**
 * `x-fal-no-retry` is not sent. What fal's queue tries again are runs that failed with a 5xx or a lost connection, and
 * those are not charged: one submission is one charge at most. Without these tries a key at its limit of concurrent
 * runs would fail instead of wait. Priority stays `normal`, which is the client's own.
 *
 * fal may serve a request by another app where one is unhealthy; here a request goes to the model that it names, or
 * fails (name of the header unverified; one that is unknown does no harm).
 */
const SUBMIT_OPTIONS = { startTimeout: START_LIMIT_S, headers: { 'x-app-fal-disable-fallback': 'true' } }

/**
 * fal's queue through its own client, which is not told the key, not given the network and not asked to repeat:
 * `retry: { maxRetries: 0 }` is overwritten by constants of the client in all of these calls but `cancel`, and a broken
 * connection would have it submit up to four times (1.10.1, `queue.js`).
 */
export function createFalQueue(deps: Pick<VendorDeps, 'baseUrl' | 'clock' | 'fetch'>, key: Secret): FalQueue {
  const { clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: VENDOR, fetch: deps.fetch, clock })

  const exchange = (
    { signal, toFailure }: FalCall,
    given: { readonly timeoutMs: number; readonly url: string | null },
    call: (queue: FalClient['queue']) => Promise<unknown>,
  ) =>
    exchangeOnce(
      {
        vendor: VENDOR,
        http,
        urlOf: (asked) => chooseUrl(asked, given.url, baseUrl),
        headers: { authorization: `Key ${key.reveal()}` },
        timeoutMs: given.timeoutMs,
        signal,
        toFailure,
      },
      // With `credentials` left out it would look for them in the environment.
      (fetch) => call(createFalClient({ credentials: undefined, fetch: fetch as typeof globalThis.fetch }).queue),
    )

  return {
    submit: ({ app, input, webhookUrl }, given) =>
      exchange(given, { timeoutMs: SUBMIT_MS, url: null }, (queue) =>
        queue.submit(app, { input, ...SUBMIT_OPTIONS, ...(webhookUrl !== null && { webhookUrl }) }),
      ),
    status: ({ id, app, statusUrl }, given) =>
      exchange(given, { timeoutMs: ASK_MS, url: statusUrl }, (queue) =>
        queue.status(app, { requestId: id, logs: true }),
      ),
    result: ({ id, app, responseUrl }, given) =>
      exchange(given, { timeoutMs: RESULT_MS, url: responseUrl }, (queue) => queue.result(app, { requestId: id })),
    cancel: ({ id, app, cancelUrl }, given) =>
      exchange(given, { timeoutMs: ASK_MS, url: cancelUrl }, (queue) => queue.cancel(app, { requestId: id })),
  }
}

/** fal wants its addresses used as given. One that the key may not be shown to is built as the client builds it. */
function chooseUrl(asked: string, given: string | null, baseUrl: string): string {
  const built = new URL(asked)
  if (built.origin !== CLIENT_ORIGIN) throw new Error('An address is no name of a model.')
  const url = new URL(given !== null && isOfVendor(given, baseUrl) ? given : baseUrl + built.pathname)
  for (const [name, value] of built.searchParams) url.searchParams.set(name, value)
  return url.href
}
