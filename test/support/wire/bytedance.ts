import { randomUUID } from 'node:crypto'
import { ARK_MODELS, findArkProblem } from './bytedance-fields.ts'
import { denyPicture, pictureHostOf, showPicture } from './picture-host.ts'
import { makePicture, type PictureFormat } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * BytePlus ModelArk under `/api/v3` as BytePlus' Python SDK (2026-07-23) states it: JSON, and server-sent events with
 * `stream`. Modes beside those of every vendor: `refused` (input), `refused_image`, `refused_output`, `unauthorized`,
 * `denied`, `overdue`, `quota`, `rate_limited`, `overloaded`, `retired`, `gone`, `invalid`, `server_error`; with status
 * 200 `picture_refused` and `picture_failed` (an error in the place of the picture), `answer_failed` (an error beside
 * an empty list), `nothing`; `base64` (whatever was asked for), `expired` (the link answers 404), `private_url`,
 * `broken` (half a picture), `untold` (no usage). Of streams: `previews=2`, `unfinished` (no `completed`), `whole`
 * (JSON although a stream was asked for), `bad_preview`.
 */
export function createBytedanceWire(setting: WireSetting): WireVendor {
  const pictures = new Map<string, Picture>()
  return {
    isBillable: ({ method, path }) => method === 'POST' && path === '/api/v3/images/generations',
    handle(request, mode) {
      if (request.path.startsWith('/pictures/')) return download(request, pictures)
      if (request.method !== 'POST' || request.path !== '/api/v3/images/generations')
        return { status: 404, body: '404' }
      if (!/^Bearer \S+$/.test(request.headers.authorization ?? ''))
        return failure(401, 'AuthenticationError', 'The API key in the request is missing or invalid.')
      return generate(request, mode, setting, pictures)
    },
  }
}

type Picture = { readonly bytes: Buffer; readonly format: PictureFormat; readonly mode: WireMode }
type ArkBody = {
  readonly model: string
  readonly size?: string
  readonly output_format?: PictureFormat
  readonly response_format?: string
  readonly stream?: boolean
  readonly image?: string | readonly string[]
}

async function generate(
  { headers, json }: WireRequest,
  mode: WireMode,
  setting: WireSetting,
  pictures: Map<string, Picture>,
): Promise<WireReply> {
  const refusal = FAILURES[mode.name]
  if (refusal) return refusal()
  if (headers['content-type'] !== 'application/json')
    return failure(400, 'InvalidParameter', 'The content type is not application/json.')
  const body = json as ArkBody
  const model = ARK_MODELS[body?.model]
  if (!model) return failure(404, 'InvalidEndpointOrModel.NotFound', 'The model or endpoint does not exist.')
  const problem = findArkProblem(json, model)
  if (problem) return failure(400, 'InvalidParameter', problem.text, problem.param)
  const [width = 2048, height = 2048] = /^\d+x\d+$/.test(body.size ?? '')
    ? (body.size ?? '').split('x').map(Number)
    : []
  const format = body.output_format ?? model.format
  const bytes = await makePicture({ width, height, format, index: pictures.size })
  const id = randomUUID()
  pictures.set(id, { bytes, format, mode })
  const host = pictureHostOf(mode, setting.secondOrigin)
  const place =
    body.response_format === 'b64_json' || mode.name === 'base64'
      ? { b64_json: bytes.toString('base64') }
      : { url: `${host}/pictures/${id}?X-Tos-Signature=abc` }
  const size = `${width}x${height}`
  const headers200 = { 'x-request-id': `req_${pictures.size - 1}` }
  if (body.stream === true && mode.name !== 'whole')
    return {
      headers: { ...headers200, 'content-type': 'text/event-stream; charset=utf-8' },
      body: eventsOf(body, mode, { ...place, size }, bytes),
    }
  return { headers: headers200, body: answerOf(body, mode, { ...place, size, output_format: format }) }
}

function answerOf({ model }: ArkBody, mode: WireMode, picture: object): object {
  const error = PICTURE_ERRORS[mode.name]
  const data = mode.name === 'nothing' || mode.name === 'answer_failed' ? [] : [error ? { error } : picture]
  return {
    model,
    created: 1_763_000_000,
    data,
    ...(mode.name !== 'untold' && { usage: usageOf(error === undefined) }),
    ...(mode.name === 'answer_failed' && { error: SERVICE_ERROR }),
    something_new: [null],
  }
}

const SERVICE_ERROR = { code: 'InternalServiceError', message: 'The service encountered an internal error.' }
const PICTURE_ERRORS: Readonly<Record<string, object>> = {
  picture_refused: {
    code: 'OutputImageSensitiveContentDetected',
    message: 'The output image may contain sensitive information.',
  },
  picture_failed: SERVICE_ERROR,
}

function usageOf(isMade: boolean) {
  const tokens = isMade ? 16_384 : 0
  return { generated_images: isMade ? 1 : 0, output_tokens: tokens, total_tokens: tokens, input_images: 0 }
}

async function* eventsOf({ model }: ArkBody, mode: WireMode, picture: object, bytes: Buffer): AsyncGenerator<string> {
  const events = listEvents(model, mode, picture, bytes)
  for (const event of events) yield `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
  yield 'data: [DONE]\n\n'
}

function listEvents(model: string, mode: WireMode, picture: object, bytes: Buffer) {
  const head = { model, created_at: 1_763_000_000 }
  const previews = Array.from({ length: mode.number('previews') ?? 0 }, (_, place) => ({
    type: 'image_generation.partial_image',
    ...head,
    partial_image_index: place,
    b64_json: mode.name === 'bad_preview' ? '????' : bytes.toString('base64'),
  }))
  const error = PICTURE_ERRORS[mode.name]
  const result = error
    ? { type: 'image_generation.partial_failed', ...head, image_index: 0, error }
    : { type: 'image_generation.partial_succeeded', ...head, image_index: 0, ...picture }
  const completed = { type: 'image_generation.completed', ...head, usage: usageOf(error === undefined) }
  return [
    { type: 'image_generation.something_new', ...head },
    ...previews,
    ...(mode.name === 'nothing' ? [] : [result]),
    ...(mode.name === 'unfinished' ? [] : [completed]),
  ]
}

/** Signed by its query; the key has no business here. */
function download({ path, headers }: WireRequest, pictures: Map<string, Picture>): WireReply {
  const picture = pictures.get(path.slice('/pictures/'.length))
  if (!picture || picture.mode.name === 'expired' || headers.authorization !== undefined)
    return denyPicture(404, 'NoSuchKey')
  return showPicture(picture.bytes, picture.format, picture.mode)
}

const FAILURES: Readonly<Record<string, () => WireReply>> = {
  refused: () => failure(400, 'InputTextSensitiveContentDetected', 'The input text may contain sensitive information.'),
  refused_image: () =>
    failure(400, 'InputImageSensitiveContentDetected', 'The input image may contain sensitive information.'),
  refused_output: () =>
    failure(400, 'OutputImageSensitiveContentDetected', 'The output image may contain sensitive information.'),
  unauthorized: () =>
    failure(401, 'AuthenticationError', 'The API key sk-canary-7f3c9a51e2 in the request is missing or invalid.'),
  denied: () => failure(403, 'AccessDenied', 'You do not have access to this resource.'),
  overdue: () => failure(403, 'AccountOverdueError', 'The request failed because your account has an overdue balance.'),
  quota: () => failure(429, 'QuotaExceeded', 'Your account has exceeded the quota for the free trial.'),
  rate_limited: () => failure(429, 'RateLimitExceeded.EndpointRPMExceeded', 'Requests per minute exceed the limit.'),
  overloaded: () => failure(429, 'ServerOverloaded', 'The service is currently unable to handle additional requests.'),
  retired: () => failure(404, 'ModelNotOpen', 'Your account has not activated the model.'),
  gone: () => failure(404, 'InvalidEndpointOrModel.NotFound', 'The model or endpoint does not exist.'),
  invalid: () => failure(400, 'InvalidParameter', 'The parameter `prompt` is not to our taste.', 'prompt'),
  server_error: () => failure(500, SERVICE_ERROR.code, SERVICE_ERROR.message),
}

function failure(status: number, code: string, message: string, param = ''): WireReply {
  const type = status === 429 ? 'TooManyRequests' : 'BadRequest'
  return {
    status,
    headers: { 'x-request-id': 'req_failed' },
    body: { error: { code, message: `${message} Request id: req_failed`, param, type }, extra: 1 },
  }
}
