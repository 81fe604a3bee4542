import { answerFailure, type Failure, failureOf } from './openai-failures.ts'
import { findFormFault, type Picture, readEditForm } from './openai-form.ts'
import { type Family, type Fields, familyOf, findFault, isRetired, sizeOf } from './openai-parameters.ts'
import { countInputTokens, countOutputTokens } from './openai-tokens.ts'
import { breakIfAsked, denyPicture, pictureHostOf } from './picture-host.ts'
import { makePicture, type PictureFormat } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * api.openai.com/v1 as its SDK 7.57.0 states it: images/generations (JSON and SSE), images/edits (multipart
 * and SSE), models. Requests are numbered `req_1`, `req_2`, … in `x-request-id`. Modes beside those of every vendor,
 * and beside the failures listed in `openai-failures.ts`:
 *
 * - `serves_retired`: as an endpoint that still has DALL·E and gpt-image-1, which are `model_not_found` otherwise
 * - `fewer=1`, `more=1`: so many images less or more than asked for; `no_images`: none; `broken`: half a picture;
 *   `no_bytes`: base64 of nothing
 * - `as_url`: links instead of base64; `expired` (they answer 403) and `private_url` are such links
 * - `no_usage`, `no_details`: what is left out of the answer
 * - streams: `partials=1` (fewer than asked for), `early_final` (partials come after it), `sse_error`, `sse_refused`,
 *   `cut` (ends without `completed`), `sse_garbage`, `stall` (silent after the first partial), `no_stream` (answers with JSON)
 */
export function createOpenaiWire(setting: WireSetting): WireVendor {
  const files = new Map<string, Buffer>()
  let requests = 0
  return {
    isBillable: ({ method, path }) => method === 'POST' && path.startsWith('/v1/images/'),
    async handle(request, mode) {
      if (request.path.startsWith('/files/')) return serveFile(request, files)
      requests += 1
      const id = `req_${requests}`
      const reply = await answer(request, mode, { setting, files, id })
      return { ...reply, headers: { 'x-request-id': id, ...reply.headers } }
    },
  }
}

type Desk = { readonly setting: WireSetting; readonly files: Map<string, Buffer>; readonly id: string }
type Order = { readonly fields: Fields; readonly family: Family; readonly pictures: readonly Picture[] }

async function answer(request: WireRequest, mode: WireMode, desk: Desk): Promise<WireReply> {
  const key = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1]
  if (key === undefined) return answerFailure({ status: 401, message: 'You did not provide an API key.' })
  if (request.method === 'GET' && request.path === '/v1/models') return MODELS
  const isEdit = request.path === '/v1/images/edits'
  if (request.method !== 'POST' || (!isEdit && request.path !== '/v1/images/generations'))
    return answerFailure({ status: 404, message: `Invalid URL (${request.method} ${request.path})` })
  const failure = failureOf(mode, key)
  if (failure) return answerFailure(failure)
  const order = await readOrder(request, mode, isEdit)
  if ('status' in order) return answerFailure(order)
  if (order.fields.stream !== true || mode.name === 'no_stream') return answerWhole(order, mode, desk)
  return { headers: { 'content-type': 'text/event-stream; charset=utf-8' }, body: stream(order, mode, isEdit) }
}

async function readOrder(request: WireRequest, mode: WireMode, isEdit: boolean): Promise<Order | Failure> {
  const invalid = (param: string, code: string, message: string): Failure => ({ status: 400, code, param, message })
  if (!isEdit && request.headers['content-type'] !== 'application/json')
    return invalid('body', 'unsupported_media_type', 'Send application/json.')
  const form = isEdit ? await readEditForm(request) : { fields: request.json as Fields, pictures: [] }
  const { fields, pictures, fault } = { fault: undefined, ...form }
  const family = familyOf(fields?.model)
  if (!family || (isRetired(fields.model) && mode.name !== 'serves_retired')) {
    const message = `The model '${fields?.model}' does not exist or has been shut down.`
    return { status: 404, code: 'model_not_found', param: null, message }
  }
  const found =
    fault ?? findFault(fields, family, isEdit) ?? (isEdit ? await findFormFault(request, family) : undefined)
  return found ? invalid(found.param, found.code, found.message) : { fields, family, pictures }
}

async function answerWhole(order: Order, mode: WireMode, desk: Desk): Promise<WireReply> {
  const { fields, family } = order
  const asked = Number(fields.n ?? 1)
  const count = mode.name === 'no_images' ? 0 : asked - (mode.number('fewer') ?? 0) + (mode.number('more') ?? 0)
  const isUrl = ['as_url', 'expired', 'private_url'].includes(mode.name)
  const data: object[] = []
  for (let index = 0; index < count; index++) {
    const bytes = await paint(order, mode, index)
    const place = isUrl ? { url: keepFile(bytes, index, mode, desk) } : { b64_json: encode(bytes, mode) }
    const revised = family === 'dall-e-3' ? { revised_prompt: `A detailed view of ${fields.prompt}` } : {}
    data.push({ ...place, ...revised, note: 'an unknown field' })
  }
  const usage = family.startsWith('dall-e') ? {} : usageOf(order, mode, { images: count, partials: 0, isStream: false })
  const echoed = { background: 'opaque', output_format: fields.output_format ?? 'png', quality: qualityOf(fields) }
  return { body: { created: 1_795_000_000, ...echoed, data, ...usage, unknown_extra: { nested: true } } }
}

async function* stream(order: Order, mode: WireMode, isEdit: boolean): AsyncIterable<string> {
  const prefix = isEdit ? 'image_edit' : 'image_generation'
  const { fields } = order
  const asked = Number(fields.partial_images ?? 0)
  const partials = mode.name === 'early_final' ? Math.min(1, asked) : (mode.number('partials') ?? asked)
  const echoed = { created_at: 1_795_000_000, quality: qualityOf(fields), size: fields.size, unknown_extra: [1] }
  const partial = async (index: number) => {
    const b64_json = (await paint(order, mode, index + 20)).toString('base64')
    return toEvent(`${prefix}.partial_image`, { b64_json, partial_image_index: index, ...echoed })
  }
  yield ': the stream is open\n\n'
  yield toEvent(`${prefix}.unknown_news`, { b64_json: 'bm90aGluZw==' })
  for (let index = 0; index < partials; index++) {
    yield await partial(index)
    if (mode.name === 'stall') await new Promise<never>(() => {})
  }
  if (mode.name === 'cut') return
  if (mode.name === 'sse_garbage') return yield 'event: image_generation.completed\ndata: {"b64_json": "iVBO\n\n'
  const error = STREAM_ERRORS[mode.name]
  if (error) return yield toEvent('error', { error })
  const b64_json = encode(await paint(order, mode, 0), mode)
  const usage = usageOf(order, mode, { images: 1, partials, isStream: true })
  yield toEvent(`${prefix}.completed`, { b64_json, ...echoed, ...usage })
  if (mode.name === 'early_final') yield await partial(1)
}

const STREAM_ERRORS: Readonly<Record<string, object>> = {
  sse_error: { type: 'server_error', code: 'server_error', message: 'The server had an error.', param: null },
  sse_refused: {
    type: 'image_generation_user_error',
    code: 'moderation_blocked',
    message: 'The picture was rejected by the safety system. safety_violations=[violence].',
    param: null,
  },
}

function toEvent(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}

async function paint({ fields }: Order, mode: WireMode, index: number): Promise<Buffer> {
  const bytes = await makePicture({
    ...sizeOf(fields),
    format: (fields.output_format ?? 'png') as PictureFormat,
    index,
  })
  return breakIfAsked(bytes, mode)
}

function encode(bytes: Buffer, mode: WireMode): string {
  return mode.name === 'no_bytes' ? '====' : bytes.toString('base64')
}

/** `auto` is answered with what it was resolved to. */
function qualityOf({ quality = 'auto' }: Fields): string {
  return quality === 'auto' ? 'medium' : String(quality)
}

function usageOf(order: Order, mode: WireMode, made: { images: number; partials: number; isStream: boolean }) {
  if (mode.name === 'no_usage') return {}
  const { fields, family, pictures } = order
  const { width, height } = sizeOf(fields)
  const input = countInputTokens(String(fields.prompt), pictures)
  const painted = countOutputTokens(family, qualityOf(fields), width, height)
  const image = made.images * painted + made.partials * 100
  // Only 1.5 is priced by text that comes out.
  const text = !made.isStream && String(fields.model).startsWith('gpt-image-1.5') ? 40 : 0
  const [input_tokens, output_tokens] = [input.text + input.image, image + text]
  const total = { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens }
  if (mode.name === 'no_details') return { usage: total }
  const input_tokens_details = { text_tokens: input.text, image_tokens: input.image, cached_tokens: 0 }
  if (made.isStream) return { usage: { ...total, input_tokens_details } }
  return {
    usage: { ...total, input_tokens_details, output_tokens_details: { image_tokens: image, text_tokens: text } },
  }
}

function keepFile(bytes: Buffer, index: number, mode: WireMode, { setting, files, id }: Desk): string {
  const path = `/files/${id}-${index}.png${mode.name === 'expired' ? '?expired=1' : ''}`
  files.set(`/files/${id}-${index}.png`, bytes)
  return `${pictureHostOf(mode, setting.secondOrigin)}${path}`
}

/** Signed by its query; the key has no business here. */
function serveFile({ path, query, headers }: WireRequest, files: Map<string, Buffer>): WireReply {
  const bytes = files.get(path)
  if (!bytes || query.has('expired') || headers.authorization !== undefined)
    return denyPicture(403, 'AuthenticationFailed')
  return { headers: { 'content-type': 'image/png' }, body: bytes }
}

const model = (id: string, shutdown_date: string | null | undefined) => ({
  id,
  object: 'model',
  created: 1_790_000_000,
  owned_by: 'system',
  ...(shutdown_date !== undefined && { shutdown_date }),
})

const MODELS: WireReply = {
  body: {
    object: 'list',
    data: [
      model('gpt-6', null),
      model('gpt-image-2.6-flare', null),
      model('gpt-image-2', undefined),
      model('gpt-image-1.5', '2026-12-01'),
      model('text-embedding-4', '2027-05-01'),
    ],
  },
}
