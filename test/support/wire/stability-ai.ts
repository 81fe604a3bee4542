import { randomUUID } from 'node:crypto'
import sharp from 'sharp'
import { breakIfAsked } from './picture-host.ts'
import { makePicture, type PictureFormat } from './pictures.ts'
import { checkEngineBody, checkForm } from './stability-ai-fields.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * api.stability.ai as its OpenAPI document of 2025-06-24 states it: v2beta `ultra`, `core` and `sd3`, and SDXL on v1.
 * Modes beside those of every vendor: `refused` (403 content_moderation; v1: 400 invalid_prompts), `forbidden` (403 of
 * another name), `unauthorized`, `quota`, `quota name=payment_required`, `rate_limited retry-after=2`, `unavailable`,
 * `server_error`, `invalid` (400), `unprocessable` (422), `too_large` (413), `retired` (404), `nameless code=400` (an
 * error without any of its fields).
 *
 * Of the picture: `filtered` (CONTENT_FILTERED: HTTP 200 and a blurred picture; v1: all artifacts, or those of
 * `filtered=1`), `failed` (ERROR; v1 also `failed=1`), `finish=NAME` (another reason; `finish=` none), `broken` (half a
 * picture), `pictureless`, `bytes` (image bytes with headers although JSON was asked for), `fewer=2` (v1: so many
 * artifacts), `more=2` (v1: so many too many).
 */
export function createStabilityWire(_setting: WireSetting): WireVendor {
  return {
    isBillable: ({ method, path }) =>
      method === 'POST' && /^\/(v2beta\/stable-image\/generate|v1\/generation)\//.test(path),
    async handle(request, mode) {
      const isV1 = request.path.startsWith('/v1/')
      const fail = (status: number, name: string, text: string) => createError(isV1, status, name, text)
      if (!/^Bearer \S+$/.test(request.headers.authorization ?? '')) {
        return fail(401, 'unauthorized', 'missing authorization header')
      }
      if (request.method !== 'POST') return fail(404, 'not_found', 'The specified resource was not found.')
      return FAILURES[mode.name]?.(fail, mode) ?? (isV1 ? runEngine(request, mode) : runEndpoint(request, mode))
    },
  }
}

type Fail = (status: number, name: string, text: string) => WireReply

function createError(isV1: boolean, status: number, name: string, text: string): WireReply {
  const id = `req_${randomUUID()}`
  const body = isV1 ? { id, name, message: text, extra: null } : { id, name, errors: [text], extra: null }
  return { status, headers: { 'x-request-id': id }, body }
}

const FAILURES: Readonly<Record<string, (fail: Fail, mode: WireMode) => WireReply>> = {
  refused: (fail) => {
    const moderated = fail(403, 'content_moderation', 'Your request was flagged by our content moderation system.')
    const isV1 = 'message' in Object(moderated.body)
    return isV1 ? fail(400, 'invalid_prompts', 'One or more prompts contains filtered words.') : moderated
  },
  forbidden: (fail) => fail(403, 'permission_denied', 'You have no permission to do that.'),
  unauthorized: (fail) => fail(401, 'unauthorized', 'Incorrect API key provided: sk-canary-7f3c9a51e2'),
  quota: (fail, mode) =>
    fail(402, mode.settings.name ?? 'insufficient_balance', 'You lack sufficient credits to make this request.'),
  rate_limited: (fail, mode) => {
    const reply = fail(429, 'rate_limit_exceeded', 'You have exceeded the rate limit of 150 requests in 10 seconds.')
    const after = mode.settings['retry-after']
    return { ...reply, headers: { ...reply.headers, ...(after !== undefined && { 'retry-after': after }) } }
  },
  unavailable: (fail) => fail(503, 'service_unavailable', 'Come again.'),
  server_error: (fail) => fail(500, 'internal_error', 'An unexpected server error has occurred.'),
  invalid: (fail) => fail(400, 'bad_request', 'prompt: is not to our taste'),
  unprocessable: (fail) => fail(422, 'invalid_language', 'English is the only supported language.'),
  too_large: (fail) => fail(413, 'payload_too_large', 'The request was larger than 10MiB.'),
  retired: (fail) => fail(404, 'not_found', 'The specified engine was not found.'),
  nameless: (_fail, mode) => ({ status: mode.number('code') ?? 400, body: { name: 7, errors: 'no', id: null } }),
}

type Picture = { readonly bytes: Buffer; readonly type: string; readonly finish: string | null; readonly seed: number }

async function runEndpoint(request: WireRequest, mode: WireMode): Promise<WireReply> {
  const fail = (status: number, name: string, text: string) => createError(false, status, name, text)
  const endpoint = request.path.slice('/v2beta/stable-image/generate/'.length)
  if (!['ultra', 'core', 'sd3'].includes(endpoint)) {
    return fail(404, 'not_found', 'The specified resource was not found.')
  }
  const accept = request.headers.accept ?? '*/*'
  if (!['image/*', '*/*', 'application/json'].includes(accept)) {
    return fail(400, 'bad_request', 'accept: must be one of "image/*", "application/json"')
  }
  if (!request.headers['content-type']?.startsWith('multipart/form-data; boundary=')) {
    return fail(400, 'bad_request', 'content-type: must be multipart/form-data')
  }
  if (request.body.length > 10 * 1024 * 1024)
    return fail(413, 'payload_too_large', 'The request was larger than 10MiB.')
  const form = await request.form()
  const problem = checkForm(endpoint, form)
  if (problem) return fail(400, 'bad_request', problem)
  const format = String(form.get('output_format') ?? 'png') as PictureFormat
  const seed = Number(form.get('seed') ?? 0)
  const bytes = await makePicture({ ...(await sizeOf(endpoint, form)), format, index: seed % 7 })
  const picture = finishPicture(
    { bytes, type: `image/${format}`, finish: 'SUCCESS', seed: seed || 4_123_456_789 },
    mode,
  )
  if (accept !== 'application/json' || mode.name === 'bytes') return toBytesReply(picture)
  const finishReason = picture.finish !== null && { finish_reason: picture.finish }
  const body = { ...imageOf('image', picture, mode), ...finishReason, seed: picture.seed, extra: 'unknown' }
  return { headers: { 'x-request-id': `req_${randomUUID()}` }, body }
}

async function runEngine(request: WireRequest, mode: WireMode): Promise<WireReply> {
  const fail = (status: number, name: string, text: string) => createError(true, status, name, text)
  if (request.path !== '/v1/generation/stable-diffusion-xl-1024-v1-0/text-to-image') {
    return fail(404, 'not_found', 'The specified engine was not found.')
  }
  if (request.headers['content-type'] !== 'application/json') {
    return fail(400, 'bad_request', 'Content-Type: must be application/json')
  }
  const problem = checkEngineBody(request.json)
  if (problem) return fail(400, 'bad_request', problem)
  const { width = 1024, height = 1024, samples = 1, seed = 0 } = request.json as Readonly<Record<string, number>>
  const made = (mode.number('fewer') ?? samples) + (mode.number('more') ?? 0)
  const pictures: Picture[] = []
  for (let index = 0; index < made; index++) {
    const bytes = await makePicture({ width, height, index })
    pictures.push(finishPicture({ bytes, type: 'image/png', finish: 'SUCCESS', seed: seed + index }, mode, index))
  }
  const [first] = pictures
  if (first && (request.headers.accept !== 'application/json' || mode.name === 'bytes')) return toBytesReply(first)
  const artifacts = pictures.map((picture) => ({
    ...imageOf('base64', picture, mode),
    ...(picture.finish !== null && { finishReason: picture.finish }),
    seed: picture.seed,
    extra: 'unknown',
  }))
  return { headers: { 'x-request-id': `req_${randomUUID()}` }, body: { artifacts, extra: 'unknown' } }
}

const REASONS: Readonly<Record<string, string>> = { filtered: 'CONTENT_FILTERED', failed: 'ERROR' }

function finishPicture(picture: Picture, mode: WireMode, index = 0): Picture {
  const bytes = breakIfAsked(picture.bytes, mode)
  const told = mode.settings.finish
  if (told !== undefined) return { ...picture, bytes, finish: told === '' ? null : told }
  const single = Object.keys(REASONS).find((name) => mode.number(name) === index)
  return { ...picture, bytes, finish: REASONS[single ?? mode.name] ?? picture.finish }
}

function imageOf(field: string, { bytes }: Picture, mode: WireMode): Readonly<Record<string, string>> {
  return mode.name === 'pictureless' ? {} : { [field]: bytes.toString('base64') }
}

function toBytesReply({ bytes, type, finish, seed }: Picture): WireReply {
  const facts = { 'content-type': type, seed: String(seed), ...(finish !== null && { 'finish-reason': finish }) }
  return { headers: { 'x-request-id': `req_${randomUUID()}`, ...facts }, body: bytes }
}

/** About a megapixel in the ratio that was asked for; sd3 keeps the size of its reference image. */
async function sizeOf(endpoint: string, form: FormData): Promise<{ width: number; height: number }> {
  const image = form.get('image')
  if (endpoint === 'sd3' && image instanceof File) {
    const { width = 0, height = 0 } = await sharp(Buffer.from(await image.arrayBuffer())).metadata()
    return { width, height }
  }
  const [across = 1, down = 1] = String(form.get('aspect_ratio') ?? '1:1')
    .split(':')
    .map(Number)
  const unit = Math.sqrt((1024 * 1024) / (across * down)) / 64
  return { width: Math.round(across * unit) * 64, height: Math.round(down * unit) * 64 }
}
