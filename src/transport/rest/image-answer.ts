import { watchToEnd } from '../../generation/generation-end.ts'
import type { Generation } from '../../generation/generation-types.ts'
import { headerOf } from '../request-facts.ts'
import type { Begun } from './beginning.ts'
import type { EndpointDeps, RestCall } from './endpoint.ts'
import { GenerationFailedError } from './generation-failed.ts'
import type { ImageRequest } from './generation-fields.ts'
import { GenerationOpenError } from './generation-open.ts'
import { pathOf, remainingCredits, viewGeneration } from './generation-view.ts'
import { streamImages } from './image-stream.ts'
import { MalformedRequestError } from './malformed-request.ts'
import { appliedPreference, type Preference, readPreference } from './preferences.ts'

/**
 * Makes what was asked for and answers as the caller prefers: with the pictures, as they come, or at once. Whoever goes
 * meanwhile loses nothing, for the generation goes on.
 */
export async function answerWithImages(call: RestCall, request: ImageRequest, deps: EndpointDeps): Promise<void> {
  const preference = readPreference(headerOf(call.request, 'prefer'))
  assertFits(request, preference)
  if (request.stream) return await streamImages(call, request, deps)
  if (preference.isAsync && preference.waitMs === null) {
    const begun = await deps.begin(call, request)
    return await sendOpen(call, request, begun, deps)
  }
  await answerAfterEnd(call, request, preference, deps)
}

async function answerAfterEnd(
  call: RestCall,
  request: ImageRequest,
  preference: Preference,
  deps: EndpointDeps,
): Promise<void> {
  const limitMs = Math.min(preference.waitMs ?? deps.limits.waitMs, deps.limits.waitMs)
  // Before anything is made: who may not wait is not charged for what it waits for.
  const hold = await call.hold({ limitMs, transport: 'http' })
  try {
    const begun = await deps.begin(call, request)
    call.releaseBody()
    const { id } = begun.generation
    const ended = await watchToEnd(deps.services.watcher, call.viewer, id, { signal: hold.signal })
    if (ended) return await sendEnded(call, request, { ...begun, generation: ended }, deps)
    const endedBy = hold.endedBy()
    if (endedBy === 'CLIENT' || endedBy === null) return
    if (appliedPreference(preference) === null || endedBy === 'CREDENTIALS') throw new GenerationOpenError(id, endedBy)
    await sendOpen(call, request, begun, deps)
  } finally {
    hold.release()
  }
}

/** Previews cost something, and an answer has room for none but in a stream. */
function assertFits({ stream, previews }: ImageRequest, { isAsync }: Preference): void {
  const fault = (param: string, message: string) =>
    new MalformedRequestError([{ param, message, code: 'invalid_value', allowed: [] }])
  if (stream && isAsync) throw fault('stream', 'A stream is followed: leave out `Prefer: respond-async`.')
  if (previews > 0 && !stream && !isAsync) {
    throw fault('partial_images', 'They are shown in a stream: add `stream: true`, or leave it out.')
  }
}

async function sendEnded(call: RestCall, request: ImageRequest, begun: Begun, deps: EndpointDeps): Promise<void> {
  const { generation } = begun
  if (generation.status !== 'COMPLETED') throw new GenerationFailedError(generation)
  await send(call, request, begun, { status: 200, bytes: wantsBytes(request, generation) }, deps)
}

async function sendOpen(call: RestCall, request: ImageRequest, begun: Begun, deps: EndpointDeps): Promise<void> {
  const applied = appliedPreference(readPreference(headerOf(call.request, 'prefer')))
  if (applied !== null) call.response.setHeader('preference-applied', applied)
  await send(call, request, begun, { status: 202, bytes: false }, deps)
}

async function send(
  call: RestCall,
  { webhookUrl }: ImageRequest,
  { generation, replayed }: Begun,
  { status, bytes }: { status: number; bytes: boolean },
  { services }: EndpointDeps,
): Promise<void> {
  call.response.setHeader('location', pathOf(generation.id))
  if (bytes) await call.holdPictures()
  const body = {
    ...(await viewGeneration(services, generation, bytes)),
    remaining_credits: await remainingCredits(services, call.viewer),
    replayed,
    ...(webhookUrl && { webhook_secret: services.webhooks.secretOfAddress(call.viewer, webhookUrl) }),
  }
  await call.answer(status, body)
}

/** Callers of the GPT image models look for bytes, and never for an address. */
function wantsBytes({ responseFormat }: ImageRequest, { model }: Generation): boolean {
  return responseFormat === null ? model.includes('gpt-image') : responseFormat === 'b64_json'
}
