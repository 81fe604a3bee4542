import Replicate from 'replicate'
import type { Secret } from '../../secret.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { exchangeOnce, type SingleExchange } from '../wire/single-exchange.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { createVendorHttp } from '../wire/vendor-http.ts'
import { isOfVendor } from '../wire/vendor-url.ts'
import { VENDOR } from './replicate-failures.ts'

/** What is needed to ask after a prediction: persisted. Addresses null where none was given. */
export type ReplicateJob = { readonly id: string; readonly getUrl: string | null; readonly cancelUrl: string | null }

/**
 * `version`: of a model that is no official one; it alone names the model then. `webhookUrl`: where Replicate says that
 * the prediction has ended.
 */
export type ReplicateOrder = {
  readonly model: string
  readonly version: string | null
  readonly input: JsonRecord
  readonly webhookUrl: string | null
}

/** The calls of one key. Each is one exchange, whose JSON it answers with; `toFailure` reads any other answer. */
export type ReplicateApi = {
  create(order: ReplicateOrder, given: ReplicateCall): Promise<unknown>
  get(job: ReplicateJob, given: ReplicateCall): Promise<unknown>
  cancel(job: ReplicateJob, given: ReplicateCall): Promise<unknown>
  /** What it signs its webhooks with: one secret for all of an account. */
  webhookSecret(given: ReplicateCall): Promise<unknown>
}

export type ReplicateCall = Pick<SingleExchange, 'signal' | 'toFailure'>

const SUBMIT_MS = 60_000
const ASK_MS = 20_000
/** Without any the SDK takes one from the environment. The real one is put in where the request leaves. */
const NO_KEY = 'none'

/**
 * Replicate through its own SDK, which is not told the key, not given the network and not asked to repeat. Of 1.4.0:
 *
 * - It cannot be told not to repeat, and sends a POST up to six times at once: after a 429, and after any broken
 *   connection as well (`lib/util.js`). A Retry-After in seconds it takes for a date.
 * - With the strategy `data-uri` for files it sends itself, key and all, in place of the input. Inputs hold no files here,
 *   so that with `upload` nothing is uploaded and the input is sent as it is.
 * - `Prefer: wait` is not sent: the id has to be on disk before anything waits. Outputs are not wrapped.
 */
export function createReplicateApi(deps: Pick<VendorDeps, 'baseUrl' | 'clock' | 'fetch'>, key: Secret): ReplicateApi {
  const { clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: VENDOR, fetch: deps.fetch, clock })

  const exchange = (
    { signal, toFailure }: ReplicateCall,
    given: { readonly timeoutMs: number; readonly url: string | null },
    call: (replicate: Replicate) => Promise<unknown>,
  ) =>
    exchangeOnce(
      {
        vendor: VENDOR,
        http,
        urlOf: (asked) => (given.url !== null && isOfVendor(given.url, baseUrl) ? given.url : asked),
        headers: { authorization: `Bearer ${key.reveal()}` },
        timeoutMs: given.timeoutMs,
        signal,
        toFailure,
      },
      (fetch) =>
        call(new Replicate({ auth: NO_KEY, baseUrl, fetch, useFileOutput: false, fileEncodingStrategy: 'upload' })),
    )

  return {
    create: ({ model, version, input, webhookUrl }, given) =>
      exchange(given, { timeoutMs: SUBMIT_MS, url: null }, ({ predictions }) =>
        predictions.create({
          ...(version === null ? { model } : { version }),
          input,
          ...(webhookUrl !== null && { webhook: webhookUrl, webhook_events_filter: ['completed'] }),
        }),
      ),
    get: ({ id, getUrl }, given) =>
      exchange(given, { timeoutMs: ASK_MS, url: getUrl }, ({ predictions }) => predictions.get(id)),
    cancel: ({ id, cancelUrl }, given) =>
      exchange(given, { timeoutMs: ASK_MS, url: cancelUrl }, ({ predictions }) => predictions.cancel(id)),
    webhookSecret: (given) =>
      exchange(given, { timeoutMs: ASK_MS, url: null }, ({ webhooks }) => webhooks.default.secret.get()),
  }
}
