import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { type CallBacks, type CallKind, createCallBacks, STALE_S } from './callbacks.ts'
import { isObject } from './json-object.ts'
import { denyPicture, pictureHostOf, showPicture } from './picture-host.ts'
import { makePicture, type PictureFormat } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * queue.fal.run as its client 1.10.1 and docs.fal.ai state it. Modes beside those of every vendor, of the submission:
 * `unauthorized`, `quota` (403 "User is locked"), `quota_402`, `forbidden`, `rate_limited retry-after=2`,
 * `unavailable`, `server_error`, `retired`; of the job, which is COMPLETED and fails at the call for its result:
 * `refused`, `invalid`, `bad_request`, `failed`, `unscheduled`, `dropped` (504 of the user's time limit), `timeout`,
 * `canceled`, `no_media`, `failed_status` (its status tells), `unreadable`; of what it made: `flagged=0,2` (black
 * pictures), `fewer=1`, `inline` (data URIs), `single` (`image` in place of `images`), `expired`, `private_url`,
 * `broken`; of the looks: `held=job`, `polls=3` (until ready), `flaky=2` (answered 503 first), `early=2` (results
 * answered 400 first), `lost` (404), `taken` (the key is no longer good), `foreign` (addresses on a stranger's host),
 * `moved` (on the second host), `unnamed` (none); of its calls, where it is told to call back: `calls=good,good`
 * (`calls=` not at all).
 */
export function createFalWire(setting: WireSetting): WireVendor {
  const jobs = new Map<string, Job>()
  const keys = { own: generateKeyPairSync('ed25519'), stranger: generateKeyPairSync('ed25519').privateKey }
  const callBacks = createCallBacks({
    setting,
    jobs,
    urlOf: ({ webhookUrl }) => webhookUrl,
    sign: (job, kind) => signCall(job, kind, kind === 'forged' ? keys.stranger : keys.own.privateKey),
  })
  return {
    callBacks: callBacks.all,
    isBillable: ({ method, path }) => method === 'POST' && !path.includes('/requests/'),
    handle(request, mode) {
      const { method, path, headers } = request
      if (path.startsWith('/files/')) return file(request, jobs)
      if (path === '/.well-known/jwks.json') return { body: { keys: [keys.own.publicKey.export({ format: 'jwk' })] } }
      if (!/^Key \S+$/.test(headers.authorization ?? '')) return UNAUTHORIZED
      const found = REQUEST_PATH.exec(path)
      if (!found) return method === 'POST' ? submit(request, mode, setting, jobs) : NOT_FOUND
      const [, app, id = '', call = '/result'] = found
      const job = jobs.get(id)
      // Below the submission the path is only owner and alias.
      if (!job || job.app.split('/').slice(0, 2).join('/') !== app) return NOT_FOUND
      if (call === '/cancel') return method === 'PUT' ? cancel(job, setting) : NOT_ALLOWED
      if (method !== 'GET') return NOT_ALLOWED
      return call === '/status' ? status(request, job, setting, callBacks) : result(job, setting)
    },
  }
}

type Job = {
  readonly id: string
  readonly app: string
  readonly mode: WireMode
  readonly input: Readonly<Record<string, unknown>>
  readonly number: number
  readonly webhookUrl: string | null
  looks: number
  results: number
  isCanceled: boolean
}

const REQUEST_PATH = /^\/([^/]+\/[^/]+)\/requests\/([^/]+)(\/status|\/cancel)?$/
const UNAUTHORIZED: WireReply = {
  status: 401,
  body: { detail: 'Authentication is required to access this application' },
}
const NOT_FOUND: WireReply = { status: 404, body: { detail: 'Not Found' } }
const NOT_ALLOWED: WireReply = { status: 405, body: { detail: 'Method Not Allowed' } }

const COMMON = ['prompt', 'num_images', 'seed', 'output_format', 'sync_mode']
const FLUX = [...COMMON, 'image_size', 'enable_safety_checker', 'guidance_scale', 'num_inference_steps', 'acceleration']
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'fal-ai/flux/dev': FLUX,
  'fal-ai/flux/schnell': FLUX,
  'fal-ai/flux-pro/v1.1': [...COMMON, 'image_size', 'enhance_prompt', 'safety_tolerance'],
  'fal-ai/nano-banana/edit': [...COMMON, 'image_urls', 'aspect_ratio'],
}

function submit(
  { json, path, headers, query }: WireRequest,
  mode: WireMode,
  setting: WireSetting,
  jobs: Map<string, Job>,
): WireReply {
  const refusal = SUBMIT_FAILURES[mode.name]
  if (refusal) return refusal(mode)
  const app = path.slice(1)
  if (!FIELDS[app]) return { status: 404, body: { detail: `Application '${app}' not found` } }
  const fault = findHeaderFault(headers)
  const strangers = [...query.keys()].filter((name) => name !== 'fal_webhook')
  if (fault || strangers.length > 0 || !isObject(json))
    return platform(400, 'bad_request', fault ?? 'Not what is expected here')
  const job: Job = {
    id: randomUUID(),
    app,
    mode,
    input: json,
    number: jobs.size,
    webhookUrl: query.get('fal_webhook'),
    looks: 0,
    results: 0,
    isCanceled: false,
  }
  jobs.set(job.id, job)
  const addresses = mode.name === 'unnamed' ? {} : addressesOf(job, setting)
  const gateway_request_id = job.id
  return { body: { status: 'IN_QUEUE', request_id: job.id, ...addresses, queue_position: 3, gateway_request_id } }
}

function findHeaderFault(headers: WireRequest['headers']): string | undefined {
  if (headers['content-type'] !== 'application/json') return 'The body has to be JSON'
  const priority = headers['x-fal-queue-priority']
  if (priority !== undefined && priority !== 'normal' && priority !== 'low') return 'Unknown priority'
  const limit = headers['x-fal-request-timeout']
  return limit !== undefined && !(Number(limit) > 1) ? 'The time limit is too short' : undefined
}

const SUBMIT_FAILURES: Readonly<Record<string, (mode: WireMode) => WireReply>> = {
  unauthorized: () => UNAUTHORIZED,
  forbidden: () => ({ status: 403, body: { detail: 'Your key has no access to this application' } }),
  quota: () => ({ status: 403, body: { detail: 'User is locked. Reason: Exhausted balance.' } }),
  quota_402: () => ({ status: 402, body: { detail: 'Payment required' } }),
  rate_limited: (mode) => ({
    status: 429,
    headers: mode.settings['retry-after'] === undefined ? {} : { 'retry-after': mode.settings['retry-after'] },
    body: { detail: 'Too many concurrent requests' },
  }),
  unavailable: () => platform(503, 'runner_scheduling_failure', 'No runner is available'),
  server_error: () => platform(500, 'internal_error', 'Internal error'),
  retired: () => ({ status: 404, body: { detail: 'Application not found' } }),
}

function addressesOf({ id, app, mode }: Job, { origin, secondOrigin }: WireSetting) {
  const host = mode.name === 'foreign' ? 'http://stranger.example' : mode.name === 'moved' ? secondOrigin() : origin()
  const response_url = `${host}/${app.split('/').slice(0, 2).join('/')}/requests/${id}`
  return { response_url, status_url: `${response_url}/status`, cancel_url: `${response_url}/cancel` }
}

function status({ query }: WireRequest, job: Job, setting: WireSetting, callBacks: CallBacks<Job>): WireReply {
  const { id, mode } = job
  job.looks += 1
  if (mode.name === 'taken') return UNAUTHORIZED
  if (mode.name === 'lost') return NOT_FOUND
  if (job.looks <= (mode.number('flaky') ?? 0)) return { status: 503, body: '<html>Service unavailable</html>' }
  const rest = { request_id: id, ...addressesOf(job, setting) }
  const logs = query.get('logs') === '1' ? [{ message: ' 50%|█████     | 2/4', level: 'INFO', source: 'USER' }] : null
  if (isDone(job, setting)) {
    callBacks.tell(job)
    const error = mode.name === 'failed_status' ? { error: 'Runner went away', error_type: 'runner_disconnected' } : {}
    return { body: { status: 'COMPLETED', ...rest, logs, metrics: { inference_time: 1.5 }, ...error } }
  }
  const ahead = pollsOf(mode) - 1 - job.looks
  if (mode.settings.held !== 'job' && ahead <= 0) return { status: 202, body: { status: 'IN_PROGRESS', ...rest, logs } }
  return { status: 202, body: { status: 'IN_QUEUE', ...rest, queue_position: Math.max(ahead, 0) } }
}

/** Over request id, user id, timestamp and the digest of the body as it leaves. */
function signCall({ id }: Job, kind: CallKind, key: KeyObject) {
  const body = JSON.stringify({ request_id: id, gateway_request_id: id, status: 'OK', payload: { later: 'more' } })
  const timestamp = String(Math.floor(Date.now() / 1000) - (kind === 'stale' ? STALE_S : 0))
  const user = 'user-1'
  const text = [id, user, timestamp, createHash('sha256').update(body).digest('hex')].join('\n')
  const signed = {
    'x-fal-webhook-request-id': id,
    'x-fal-webhook-user-id': user,
    'x-fal-webhook-timestamp': timestamp,
    'x-fal-webhook-signature': sign(null, Buffer.from(text), key).toString('hex'),
  }
  return { headers: kind === 'unsigned' ? {} : signed, body: kind === 'altered' ? `${body} ` : body }
}

function pollsOf(mode: WireMode): number {
  return (mode.number('flaky') ?? 0) + (mode.number('polls') ?? 3)
}

function isDone({ mode, looks, isCanceled }: Job, { isReleased }: WireSetting): boolean {
  if (mode.settings.held === 'job') return isReleased()
  return isCanceled || looks >= pollsOf(mode)
}

async function result(job: Job, setting: WireSetting): Promise<WireReply> {
  const { id, mode, input, app } = job
  job.results += 1
  if (!isDone(job, setting) || job.results <= (mode.number('early') ?? 0))
    return { status: 400, body: { detail: 'Request is still in progress' } }
  const fault = findProblem(app, input)
  if (fault) return model(422, fault.type ?? 'value_error', fault.field, fault.msg)
  const end = JOB_FAILURES[job.isCanceled ? 'canceled' : mode.name]
  if (end) return end
  const rest = { seed: input.seed ?? 42, timings: { inference: 1.2 }, prompt: input.prompt }
  return { headers: { 'x-fal-request-id': id }, body: { ...(await picturesOf(job, setting)), ...rest } }
}

const JOB_FAILURES: Readonly<Record<string, WireReply>> = {
  refused: model(422, 'content_policy_violation', 'prompt', 'The content could not be processed'),
  invalid: model(422, 'value_error', 'prompt', 'is not to our taste'),
  no_media: model(422, 'no_media_generated', 'prompt', 'No media was generated'),
  bad_request: platform(400, 'bad_request', 'Bad request'),
  failed: platform(500, 'runner_server_error', 'The runner failed'),
  unscheduled: platform(503, 'runner_scheduling_failure', 'No runner could be allocated'),
  timeout: platform(504, 'request_timeout', 'Request timed out'),
  dropped: {
    ...platform(504, 'request_timeout', 'Request timed out'),
    headers: { 'x-fal-request-timeout-type': 'user', 'x-fal-error-type': 'request_timeout' },
  },
  canceled: platform(499, 'client_cancelled', 'Request was cancelled'),
  failed_status: { body: { later: 'more' } },
  unreadable: { body: { images: 'none', later: 'more' } },
}

function findProblem(
  app: string,
  input: Job['input'],
): { readonly field: string; readonly msg: string; readonly type?: string } | undefined {
  const unknown = Object.keys(input).find((key) => !FIELDS[app]?.includes(key))
  if (unknown) return { field: unknown, msg: 'Extra inputs are not permitted', type: 'extra_forbidden' }
  if (typeof input.prompt !== 'string') return { field: 'prompt', msg: 'Field required', type: 'missing' }
  const { output_format: format, num_images: count, image_size: size, image_urls: urls, seed } = input
  if (format !== undefined && format !== 'jpeg' && format !== 'png')
    return { field: 'output_format', msg: "Input should be 'jpeg' or 'png'" }
  if (count !== undefined && !(Number.isInteger(count) && Number(count) >= 1 && Number(count) <= 4))
    return { field: 'num_images', msg: 'Input should be from 1 to 4' }
  if (seed !== undefined && !Number.isInteger(seed)) return { field: 'seed', msg: 'Input should be an integer' }
  const isSize = isObject(size) && Number.isInteger(size.width) && Number.isInteger(size.height)
  if (size !== undefined && !isSize && !Object.hasOwn(NAMED_SIZES, String(size)))
    return { field: 'image_size', msg: 'Input should be a size' }
  const isImages =
    Array.isArray(urls) && urls.length > 0 && urls.every((url) => /^data:image\/|^https:/.test(String(url)))
  return urls !== undefined && !isImages ? { field: 'image_urls', msg: 'Input should be addresses' } : undefined
}

const NAMED_SIZES: Readonly<Record<string, readonly [number, number]>> = {
  square_hd: [1024, 1024],
  square: [512, 512],
  portrait_4_3: [768, 1024],
  portrait_16_9: [576, 1024],
  landscape_4_3: [1024, 768],
  landscape_16_9: [1024, 576],
}

async function picturesOf(job: Job, { secondOrigin }: WireSetting) {
  const { id, mode, input } = job
  const made = mode.number('fewer') ?? Number(input.num_images ?? 1)
  const flagged = (mode.settings.flagged ?? '').split(',').filter(Boolean).map(Number)
  const host = pictureHostOf(mode, secondOrigin)
  const { width, height, format } = shapeOf(input)
  const images = await Promise.all(
    Array.from({ length: made }, async (_, place) => {
      const inline = mode.name === 'inline' ? (await paint(job, place)).toString('base64') : null
      const url = inline === null ? `${host}/files/${id}/${place}.${format}` : `data:image/${format};base64,${inline}`
      return { url, width, height, content_type: `image/${format}`, file_name: null }
    }),
  )
  const has_nsfw_concepts = images.map((_, place) => flagged.includes(place))
  return { ...(mode.name === 'single' ? { image: images[0] } : { images }), has_nsfw_concepts }
}

function shapeOf({ image_size: size, output_format }: Job['input']) {
  const [across, down] = NAMED_SIZES[typeof size === 'string' ? size : 'square'] ?? [512, 512]
  const [width, height] = isObject(size) ? [Number(size.width), Number(size.height)] : [across, down]
  return { width, height, format: (output_format ?? 'jpeg') as PictureFormat }
}

function paint(job: Job, place: number): Promise<Buffer> {
  return makePicture({ ...shapeOf(job.input), index: job.number * 4 + place })
}

/** Of *.fal.media: open to everybody who has the address, and no place for a key. */
async function file({ path, headers }: WireRequest, jobs: Map<string, Job>): Promise<WireReply> {
  const [, , id = '', name = ''] = path.split('/')
  const job = jobs.get(id)
  const isOpen = job && job.mode.name !== 'expired' && headers.authorization === undefined
  if (!job || !isOpen) return denyPicture(403, 'AccessDenied')
  const bytes = await paint(job, Number.parseInt(name, 10))
  return showPicture(bytes, shapeOf(job.input).format, job.mode)
}

function cancel(job: Job, setting: WireSetting): WireReply {
  if (isDone(job, setting)) return { status: 400, body: { status: 'ALREADY_COMPLETED' } }
  job.isCanceled = true
  return { status: 202, body: { status: 'CANCELLATION_REQUESTED' } }
}

function platform(code: number, type: string, detail: string): WireReply {
  return { status: code, headers: { 'x-fal-error-type': type }, body: { detail, error_type: type, later: 'more' } }
}

function model(code: number, type: string, field: string, msg: string): WireReply {
  const detail = [{ loc: ['body', field], msg, type, url: 'https://docs.fal.ai/errors', input: {} }]
  return { status: code, headers: { 'x-fal-retryable': 'false' }, body: { detail } }
}
