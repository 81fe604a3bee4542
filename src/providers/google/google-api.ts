import { type GenerateContentParameters, GoogleGenAI } from '@google/genai'
import { type Clock, openTimeLimit } from '../../clock.ts'
import type { Secret } from '../../secret.ts'
import type { ProviderError } from '../provider-error.ts'
import { createAbortion, createMisunderstanding, createUnsendable } from '../wire/call-failures.ts'
import { readRecords, readText } from '../wire/json-values.ts'
import { type RecordedFetch, recordFetch } from '../wire/recorded-fetch.ts'
import { toTransportFailure } from '../wire/transport-failure.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import { toAnswerFailure, VENDOR } from './google-failures.ts'
import { type GoogleReply, readReply } from './google-reply.ts'

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
 * behind for every call), no retries, and nothing of its environment variables.
 */
export function createGoogleApi(deps: { clock: Clock; fetch: VendorFetch; baseUrl: string }): GoogleApi {
  const { clock } = deps
  const clients = new WeakMap<Secret, GoogleGenAI>()

  function clientOf(key: Secret): GoogleGenAI {
    const client = clients.get(key) ?? createClient(key, deps.baseUrl)
    clients.set(key, client)
    return client
  }

  async function ask<Value>(
    given: { readonly key: Secret; readonly timeoutMs: number; readonly signal: AbortSignal },
    send: (client: GoogleGenAI, options: CallOptions) => Promise<Value>,
  ): Promise<{ readonly value: Value; readonly recorded: RecordedFetch }> {
    const { key, timeoutMs, signal } = given
    const limit = openTimeLimit(clock, timeoutMs, signal)
    const recorded = recordFetch(deps.fetch)
    try {
      const options = { abortSignal: limit.signal, httpOptions: { fetch: recorded.fetch } }
      return { value: await send(clientOf(key), options), recorded }
    } catch (error) {
      if (signal.aborted) throw createAbortion(true)
      // The SDK forgets why it was aborted.
      throw toFailure(limit.isOver() ? limit.signal.reason : error, recorded, clock.now())
    } finally {
      limit.close()
    }
  }

  return {
    async paint(key, { config, ...call }, signal) {
      const { value, recorded } = await ask({ key, timeoutMs: PAINT_MS, signal }, (client, options) =>
        client.models.generateContent({ ...call, config: { ...config, ...options } }),
      )
      const reply = readReply(value)
      if (reply?.image != null) return reply
      // The SDK drops `finishMessage`: why there is no picture is read from the answer itself.
      const whole = readReply(recorded.answer()?.json())
      if (!whole) throw createMisunderstanding(VENDOR, reply?.responseId ?? null)
      return whole
    },

    async listModels(key, page, signal) {
      const { value } = await ask({ key, timeoutMs: LIST_MS, signal }, (client, options) =>
        client.models.list({ config: { ...options, pageSize: PAGE_SIZE, ...(page !== null && { pageToken: page }) } }),
      )
      const names = readRecords(value.page).flatMap(({ name }) => readText(name)?.replace(/^models\//, '') ?? [])
      return { names, nextPage: readText(value.params.config?.pageToken) }
    },
  }
}

type CallOptions = { readonly abortSignal: AbortSignal; readonly httpOptions: { readonly fetch: VendorFetch } }

/** Without any of these the SDK would look for them in the environment. */
function createClient(key: Secret, baseUrl: string): GoogleGenAI {
  return new GoogleGenAI({ apiKey: key.reveal(), vertexai: false, apiVersion: 'v1beta', httpOptions: { baseUrl } })
}

function toFailure(error: unknown, recorded: RecordedFetch, now: number): ProviderError {
  const answer = recorded.answer()
  if (!recorded.hasBegun()) return unsendable()
  if (answer === null) return toTransportFailure(error, VENDOR)
  return answer.ok ? createMisunderstanding(VENDOR, null) : toAnswerFailure(answer, now)
}

/** Of all that varies, the SDK looks at the form of the key and of the model's name. */
function unsendable(): ProviderError {
  const message = `The request to ${VENDOR} could not be put together: the key or the model's name has a form that is not taken.`
  return createUnsendable(message)
}
