import type { OpenAI } from 'openai'
import type { Clock } from '../../clock.ts'
import type { Secret } from '../../secret.ts'
import type { ProviderRequest } from '../provider.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { requestIdOf } from '../wire/request-ids.ts'
import { withinTime } from '../wire/time-limit.ts'
import { CALL_MS, callOptions, type OpenaiClient } from './openai-client.ts'
import { createBrokenStream, toOpenaiFailure, VENDOR } from './openai-failures.ts'
import { buildEdit, buildGeneration, isStreamed } from './openai-request.ts'
import { type Reply, readReply, readStreamEvent } from './openai-wire.ts'

export type OpenaiCall = {
  readonly request: ProviderRequest
  /** How many images this one call is to make. */
  readonly count: number
  readonly key: Secret
  readonly signal: AbortSignal
  onPartial(bytes: Uint8Array): void
}

export type OpenaiAnswer = Reply & { readonly requestId: string | null }

type Deps = OpenaiClient & { readonly clock: Clock }

/** One billable request and its whole answer. Throws ProviderError. */
export function callOpenai({ client, sdk, clock }: Deps, call: OpenaiCall): Promise<OpenaiAnswer> {
  let requestId: string | null = null
  return withinTime(
    { clock, timeoutMs: CALL_MS, signal: call.signal },
    async (signal) => {
      const sent = send(client, call, signal)
      const response = await sent.asResponse()
      requestId = requestIdOf(response.headers)
      return { ...(await readWhole(sent, response, { call, requestId })), requestId }
    },
    (error) => toOpenaiFailure(error, { sdk, requestId, now: clock.now() }),
  )
}

async function readWhole(
  sent: Promise<unknown>,
  response: Response,
  { call, requestId }: { readonly call: OpenaiCall; readonly requestId: string | null },
): Promise<Reply> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  if (isStreamed(call.request) && isStream) {
    const reply = await readStream((await sent) as AsyncIterable<unknown>, call.onPartial)
    if (reply) return reply
    throw createBrokenStream(requestId)
  }
  // An endpoint that knows no streams answers at once, and what it made is paid for all the same.
  const reply = readReply(isStreamed(call.request) ? await response.json() : await sent)
  if (!reply) throw createMisunderstanding(VENDOR, requestId)
  return reply
}

function send(client: OpenAI, { request, count, key }: OpenaiCall, signal: AbortSignal) {
  const options = callOptions(key, signal)
  if (request.referenceImages.length === 0) {
    const fields = buildGeneration(request, count) as unknown as OpenAI.ImageGenerateParams
    return client.images.generate(fields, options)
  }
  return client.images.edit(buildEdit(request, count) as unknown as OpenAI.ImageEditParams, options)
}

/** Leaving it at the final event closes the connection: what may follow is of no use. undefined: it never came. */
async function readStream(
  stream: AsyncIterable<unknown>,
  onPartial: (bytes: Uint8Array) => void,
): Promise<Reply | undefined> {
  for await (const item of stream) {
    const event = readStreamEvent(item)
    if (event?.kind === 'COMPLETED') return event.reply
    if (event) onPartial(event.bytes)
  }
  return undefined
}
