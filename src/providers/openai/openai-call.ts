import type { OpenAI } from 'openai'
import { type Clock, openTimeLimit } from '../../clock.ts'
import type { Secret } from '../../secret.ts'
import type { ProviderRequest } from '../provider.ts'
import { createAbortion, createMisunderstanding } from '../wire/call-failures.ts'
import { CALL_MS, callOptions } from './openai-client.ts'
import { createBrokenStream, toOpenaiFailure, VENDOR } from './openai-failures.ts'
import { type Reply, readReply, readStreamEvent } from './openai-reply.ts'
import { buildEdit, buildGeneration, isStreamed } from './openai-request.ts'

export type OpenaiCall = {
  readonly request: ProviderRequest
  /** How many images this one call is to make. */
  readonly count: number
  readonly key: Secret
  readonly signal: AbortSignal
  onPartial(bytes: Uint8Array): void
}

export type OpenaiAnswer = Reply & { readonly requestId: string | null }

type Deps = { readonly client: OpenAI; readonly clock: Clock }

/** One billable request and its whole answer. Throws ProviderError. */
export async function callOpenai({ client, clock }: Deps, call: OpenaiCall): Promise<OpenaiAnswer> {
  const { request, signal } = call
  const limit = openTimeLimit(clock, CALL_MS, signal)
  let requestId: string | null = null
  try {
    const sent = send(client, call, limit.signal)
    const response = await sent.asResponse()
    requestId = response.headers.get('x-request-id')
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    if (isStreamed(request) && isStream) {
      const reply = await readStream((await sent) as AsyncIterable<unknown>, call.onPartial)
      if (reply) return { ...reply, requestId }
      throw createBrokenStream(requestId)
    }
    // An endpoint that knows no streams answers at once, and what it made is paid for all the same.
    const reply = readReply(isStreamed(request) ? await response.json() : await sent)
    if (!reply) throw createMisunderstanding(VENDOR, requestId)
    return { ...reply, requestId }
  } catch (error) {
    // First, since the SDK ends a stream that was aborted without a word.
    if (signal.aborted) throw createAbortion(true)
    throw toOpenaiFailure(limit.isOver() ? limit.signal.reason : error, { requestId, now: clock.now() })
  } finally {
    limit.close()
  }
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
