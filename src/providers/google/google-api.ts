import type { GenerateContentParameters, GoogleGenAI } from '@google/genai'
import type { Secret } from '../../secret.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { readRecord, readRecords, readText } from '../wire/json-values.ts'
import { exchangeOnce } from '../wire/single-exchange.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import { createVendorHttp } from '../wire/vendor-http.ts'
import { toAnswerFailure, VENDOR } from './google-failures.ts'
import { type GoogleReply, readReply } from './google-wire.ts'

export type GoogleApi = {
  /** One billable request. Throws ProviderError where no answer to it came. */
  paint(key: Secret, call: GenerateContentParameters, signal: AbortSignal): Promise<GoogleReply>
  /** Free. */
  listModels(key: Secret, page: string | null, signal: AbortSignal): Promise<ModelPage>
}

export type ModelPage = { readonly names: readonly string[]; readonly nextPage: string | null }

/** Usually 15 to 40 seconds, others say. Our fetch waits five minutes for the first byte; one is for the rest. */
const PAINT_MS = 6 * 60_000
const LIST_MS = 20_000
const PAGE_SIZE = 1000

/**
 * The official SDK, held on a short leash: our fetch with its bounds, our clock's time limit (the SDK's own leaves a timer
 * behind for every call), no retries, and nothing of its environment variables. What it answers is not looked at: it drops
 * `finishMessage`, which says why there is no picture.
 */
export function createGoogleApi(deps: Pick<VendorDeps, 'baseUrl' | 'clock' | 'fetch'>): GoogleApi {
  const { clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: VENDOR, fetch: deps.fetch, clock })

  const exchange = (
    given: { readonly key: Secret; readonly timeoutMs: number; readonly signal: AbortSignal },
    call: (client: GoogleGenAI, httpOptions: { readonly fetch: VendorFetch }) => Promise<unknown>,
  ) =>
    exchangeOnce(
      {
        vendor: VENDOR,
        http,
        urlOf: (asked) => asked,
        headers: { 'x-goog-api-key': given.key.reveal() },
        timeoutMs: given.timeoutMs,
        signal: given.signal,
        toFailure: (answer) => toAnswerFailure(answer, clock.now()),
      },
      async (fetch) => call(await openClient(given.key, baseUrl), { fetch }),
    )

  return {
    async paint(key, { config, ...call }, signal) {
      const json = await exchange({ key, timeoutMs: PAINT_MS, signal }, (client, httpOptions) =>
        client.models.generateContent({ ...call, config: { ...config, httpOptions } }),
      )
      const reply = readReply(json)
      if (!reply) throw createMisunderstanding(VENDOR, null)
      return reply
    },

    async listModels(key, page, signal) {
      const json = await exchange({ key, timeoutMs: LIST_MS, signal }, (client, httpOptions) =>
        client.models.list({ config: { httpOptions, pageSize: PAGE_SIZE, ...(page !== null && { pageToken: page }) } }),
      )
      const list = readRecord(json)
      const names = readRecords(list?.models).flatMap(({ name }) => readText(name)?.replace(/^models\//, '') ?? [])
      return { names, nextPage: readText(list?.nextPageToken) }
    },
  }
}

/**
 * It looks at the key, and is told it for that alone. Without any of these it would look for them in the environment.
 * Loaded at the first call, and not with the server: the SDKs of vendors took half of a start.
 */
async function openClient(key: Secret, baseUrl: string): Promise<GoogleGenAI> {
  const { GoogleGenAI } = await import('@google/genai')
  return new GoogleGenAI({ apiKey: key.reveal(), vertexai: false, apiVersion: 'v1beta', httpOptions: { baseUrl } })
}
