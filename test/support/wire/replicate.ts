import { randomBytes, randomUUID } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { type CallBacks, type CallKind, createCallBacks, STALE_S } from './callbacks.ts'
import { isObject } from './json-object.ts'
import { denyPicture, pictureHostOf, showPicture } from './picture-host.ts'
import { makePicture, type PictureFormat } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/** Of a model that is no official one: it takes a prompt, a seed and a format. */
export const WIRE_VERSION = 'a'.repeat(64)

/**
 * api.replicate.com/v1 as its SDK 1.4.0 and its OpenAPI document state it. Modes beside those of every vendor, of
 * the submission: `unauthorized`, `forbidden`, `quota`, `rate_limited retry-after=2` (header) or `told=3` (body),
 * `unavailable`, `server_error`, `invalid`, `retired`, `no_version`; of the prediction: `refused` (failed with words
 * about NSFW), `failed`, `canceled`, `aborted`, `removed` (data_removed), `unreadable`; of what it made: `inline` (data
 * URIs), `fewer=1`, `expired`, `private_url`, `broken`; of the looks: `held=job`, `polls=3` (until done), `flaky=2`
 * (answered 503 first), `lost` (404), `taken` (the key is no longer good), `foreign` (addresses on a stranger's host),
 * `moved` (on the second host), `unnamed` (none); of its calls, where it is told to call back: `calls=good,good`
 * (`calls=` not at all).
 */
export function createReplicateWire(setting: WireSetting): WireVendor {
  const jobs = new Map<string, Job>()
  const [secret, stranger] = [makeSecret(), makeSecret()]
  const callBacks = createCallBacks({
    setting,
    jobs,
    urlOf: ({ webhookUrl }) => webhookUrl,
    sign: (job, kind) => signCall(predictionOf(job, setting), kind, kind === 'forged' ? stranger : secret),
  })
  return {
    callBacks: callBacks.all,
    isBillable: ({ method, path }) => method === 'POST' && path.endsWith('/predictions'),
    handle(request, mode) {
      const { method, path, headers } = request
      if (path.startsWith('/files/')) return file(request, jobs)
      if (!/^Bearer \S+$/.test(headers.authorization ?? '')) return UNAUTHORIZED
      if (method === 'GET' && path === '/v1/webhooks/default/secret') return { body: { key: secret } }
      if (method === 'POST' && path.endsWith('/predictions')) return submit(request, mode, setting, jobs)
      const [, id = '', call] = PREDICTION_PATH.exec(path) ?? []
      const job = jobs.get(id)
      if (!job || job.mode.name === 'lost') return NOT_FOUND
      if (call === '/cancel') return method === 'POST' ? cancel(request, job, setting) : NOT_FOUND
      return method === 'GET' ? look(job, setting, callBacks) : NOT_FOUND
    },
  }
}

type Job = {
  readonly id: string
  readonly model: string
  readonly version: string | null
  readonly mode: WireMode
  readonly input: Readonly<Record<string, unknown>>
  readonly number: number
  readonly webhookUrl: string | null
  looks: number
  isCanceled: boolean
}

const PREDICTION_PATH = /^\/v1\/predictions\/([\w-]+)(\/cancel)?$/
const MODEL_PATH = /^\/v1\/models\/([^/]+\/[^/]+)\/predictions$/
const UNAUTHORIZED = problem(401, 'Unauthenticated', 'You did not pass a valid authentication token')
const NOT_FOUND = problem(404, 'Not found', 'The requested resource could not be found.')

const OUTPUT = ['output_format', 'output_quality']
const FLUX = ['prompt', 'seed', 'aspect_ratio', ...OUTPUT]
const SIDES = ['width', 'height']
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'black-forest-labs/flux-2-pro': [...FLUX, ...SIDES, 'input_images', 'resolution', 'safety_tolerance'],
  'black-forest-labs/flux-1.1-pro': [...FLUX, ...SIDES, 'prompt_upsampling', 'image_prompt', 'safety_tolerance'],
  'black-forest-labs/flux-dev': [
    ...FLUX,
    'num_outputs',
    'guidance',
    'image',
    'prompt_strength',
    'num_inference_steps',
    'go_fast',
  ],
  'black-forest-labs/flux-schnell': [...FLUX, 'num_outputs', 'megapixels', 'num_inference_steps', 'go_fast'],
  'bytedance/seedream-4': [
    'prompt',
    'size',
    'aspect_ratio',
    ...SIDES,
    'image_input',
    'sequential_image_generation',
    'max_images',
  ],
  [WIRE_VERSION]: ['prompt', 'seed', 'output_format'],
}
/** By model the output is one address or a list of them. */
const LISTS: ReadonlySet<string> = new Set([
  'black-forest-labs/flux-dev',
  'black-forest-labs/flux-schnell',
  'bytedance/seedream-4',
])

function submit(
  { json, path, headers }: WireRequest,
  mode: WireMode,
  setting: WireSetting,
  jobs: Map<string, Job>,
): WireReply {
  const refusal = SUBMIT_FAILURES[mode.name]
  if (refusal) return refusal(mode)
  if (headers['content-type'] !== 'application/json' || !isObject(json) || !isObject(json.input))
    return problem(422, 'Input validation failed', '- input is required')
  const model = MODEL_PATH.exec(path)?.[1] ?? null
  const version = model === null ? json.version : null
  const name = model ?? version
  if (typeof name !== 'string' || !FIELDS[name]) return model === null ? NO_VERSION : NOT_FOUND
  const known = ['input', 'webhook', 'webhook_events_filter', 'stream', ...(model === null ? ['version'] : [])]
  const stranger = Object.keys(json).find((key) => !known.includes(key))
  if (stranger) return problem(422, 'Input validation failed', `- ${stranger}: is not a known property`)
  const fault = findProblem(name, json.input)
  if (fault) {
    const invalid_fields = [{ type: 'value', field: `input.${fault.field}`, description: fault.msg }]
    return problem(422, 'Input validation failed', `- input.${fault.field}: ${fault.msg}`, { invalid_fields })
  }
  const { webhook = null, webhook_events_filter: filter = [] } = json
  const isFilter = Array.isArray(filter) && filter.every((event) => WEBHOOK_EVENTS.has(String(event)))
  if ((webhook !== null && !URL.canParse(String(webhook))) || !isFilter)
    return problem(422, 'Input validation failed', '- webhook: is no webhook')
  const webhookUrl = webhook === null ? null : String(webhook)
  const id = randomUUID().replaceAll('-', '')
  const about = { id, model: model ?? 'somebody/something', version: version === null ? null : String(version) }
  const job: Job = { ...about, mode, input: json.input, number: jobs.size, webhookUrl, looks: 0, isCanceled: false }
  jobs.set(id, job)
  return { status: 201, body: { ...predictionOf(job, setting), status: 'starting' } }
}

const WEBHOOK_EVENTS: ReadonlySet<string> = new Set(['start', 'output', 'logs', 'completed'])
const NO_VERSION = problem(422, 'Invalid version or not permitted', 'The specified version does not exist.')

const SUBMIT_FAILURES: Readonly<Record<string, (mode: WireMode) => WireReply>> = {
  unauthorized: () => UNAUTHORIZED,
  forbidden: () => problem(403, 'Forbidden', 'You do not have permission to perform this action.'),
  quota: () => problem(402, 'Insufficient credit', 'You have insufficient credit to run this model.'),
  rate_limited: (mode) => ({
    ...problem(429, 'Too many requests', 'Request was throttled.', { retry_after: mode.number('told') }),
    headers: mode.settings['retry-after'] === undefined ? {} : { 'retry-after': mode.settings['retry-after'] },
  }),
  unavailable: () => problem(503, 'Service unavailable', 'Try again later.'),
  server_error: () => problem(500, 'Internal server error', 'Something went wrong.'),
  invalid: () => problem(422, 'Input validation failed', '- input.prompt: is not to our taste'),
  retired: () => NOT_FOUND,
  no_version: () => NO_VERSION,
}

function findProblem(name: string, input: Job['input']): { readonly field: string; readonly msg: string } | undefined {
  const unknown = Object.keys(input).find((key) => !FIELDS[name]?.includes(key))
  if (unknown) return { field: unknown, msg: 'Additional property is not allowed' }
  if (typeof input.prompt !== 'string') return { field: 'prompt', msg: 'prompt is required' }
  const { output_format: format, num_outputs: count, aspect_ratio: ratio, width, height } = input
  if (format !== undefined && !['webp', 'jpg', 'png'].includes(String(format)))
    return { field: 'output_format', msg: 'must be one of "webp", "jpg", "png"' }
  if (count !== undefined && !(Number.isInteger(count) && Number(count) >= 1 && Number(count) <= 4))
    return { field: 'num_outputs', msg: 'Must be greater than or equal to 1 and less than or equal to 4' }
  if (ratio !== undefined && ratio !== 'custom' && !/^\d+:\d+$/.test(String(ratio)))
    return { field: 'aspect_ratio', msg: 'must be one of the ratios' }
  const isFree = ratio === 'custom' || input.size === 'custom'
  for (const [field, side] of Object.entries({ width, height })) {
    if (isFree !== Number.isInteger(side)) return { field, msg: 'goes with "custom"' }
  }
  return undefined
}

function look(job: Job, setting: WireSetting, callBacks: CallBacks<Job>): WireReply | Promise<WireReply> {
  const { mode } = job
  job.looks += 1
  if (mode.name === 'taken') return UNAUTHORIZED
  if (job.looks <= (mode.number('flaky') ?? 0)) return problem(503, 'Service unavailable', 'Try again later.')
  const prediction = predictionOf(job, setting)
  if (job.isCanceled) return { body: { ...prediction, status: 'canceled' } }
  const isHeld = mode.settings.held === 'job' && !setting.isReleased()
  const left = (mode.number('flaky') ?? 0) + (mode.number('polls') ?? 3) - job.looks
  if (isHeld || left > 1) return { body: { ...prediction, status: 'starting' } }
  const logs = 'Using seed: 42\n 25%|██▌       | 1/4\n 50%|█████     | 2/4\n'
  if (left === 1) return { body: { ...prediction, status: 'processing', logs } }
  callBacks.tell(job)
  const end = ENDS[mode.name]
  return end ? { body: { ...prediction, logs, ...end } } : finish(job, { ...prediction, logs }, setting)
}

function makeSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`
}

/** By Standard Webhooks' own package, which checks it at the other end too. */
function signCall(prediction: { readonly id: string }, kind: CallKind, secret: string) {
  const body = JSON.stringify({ ...prediction, status: 'succeeded' })
  const at = new Date(Date.now() - (kind === 'stale' ? STALE_S * 1000 : 0))
  const signed = {
    'webhook-id': `msg_${prediction.id}`,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(`msg_${prediction.id}`, at, body),
  }
  return { headers: kind === 'unsigned' ? {} : signed, body: kind === 'altered' ? `${body} ` : body }
}

const ENDS: Readonly<Record<string, object>> = {
  refused: { status: 'failed', error: 'NSFW content detected. Try running it again, or try a different prompt.' },
  failed: { status: 'failed', error: 'CUDA out of memory' },
  canceled: { status: 'canceled' },
  aborted: { status: 'aborted' },
  removed: { status: 'succeeded', output: null, input: {}, data_removed: true },
  unreadable: { status: 'succeeded', output: { later: 'more' } },
}

function predictionOf(job: Job, { origin, secondOrigin }: WireSetting) {
  const { id, model, version, input, mode } = job
  const host = mode.name === 'foreign' ? 'http://stranger.example' : mode.name === 'moved' ? secondOrigin() : origin()
  const get = `${host}/v1/predictions/${id}`
  return {
    id,
    model,
    version: version ?? 'hidden',
    input,
    output: null,
    error: null,
    logs: '',
    source: 'api',
    data_removed: false,
    created_at: '2026-11-22T10:00:00.000Z',
    urls: mode.name === 'unnamed' ? undefined : { get, cancel: `${get}/cancel`, web: 'https://replicate.com/p/1' },
  }
}

async function finish(job: Job, prediction: object, { secondOrigin }: WireSetting): Promise<WireReply> {
  const { id, mode, model, input } = job
  const made = mode.number('fewer') ?? Number(input.num_outputs ?? 1)
  const host = pictureHostOf(mode, secondOrigin)
  const outputs = await Promise.all(
    Array.from({ length: made }, async (_, place) => {
      if (mode.name !== 'inline') return `${host}/files/${id}/out-${place}.${formatOf(input)}`
      return `data:image/${formatOf(input)};base64,${(await paint(job, place)).toString('base64')}`
    }),
  )
  const output = LISTS.has(model) ? outputs : outputs[0]
  const metrics = { predict_time: 1.2, total_time: 1.5, image_count: made }
  return { body: { ...prediction, status: 'succeeded', output, metrics, completed_at: '2026-11-22T10:00:02.000Z' } }
}

function formatOf({ output_format }: Job['input']): PictureFormat {
  return output_format === undefined ? 'webp' : output_format === 'jpg' ? 'jpeg' : (output_format as PictureFormat)
}

function paint({ input, number }: Job, place: number): Promise<Buffer> {
  const [across, down] = String(input.aspect_ratio ?? '1:1').split(':')
  const width = Number(input.width ?? 64 * Number(across))
  const height = Number(input.height ?? 64 * Number(down))
  return makePicture({ width, height, format: formatOf(input), index: number * 4 + place })
}

/** Of replicate.delivery: open to everybody who has the address, and no place for a key. */
async function file({ path, headers }: WireRequest, jobs: Map<string, Job>): Promise<WireReply> {
  const [, , id = '', name = ''] = path.split('/')
  const job = jobs.get(id)
  if (!job || job.mode.name === 'expired' || headers.authorization !== undefined)
    return denyPicture(403, 'AccessDenied')
  const bytes = await paint(job, Number.parseInt(name.slice('out-'.length), 10))
  return showPicture(bytes, formatOf(job.input), job.mode)
}

function cancel({ body }: WireRequest, job: Job, setting: WireSetting): WireReply {
  if (body.length > 0) return problem(400, 'Bad request', 'The body has to be empty.')
  job.isCanceled = true
  return { body: { ...predictionOf(job, setting), status: 'canceled' } }
}

function problem(code: number, title: string, detail: string, more: object = {}): WireReply {
  return { status: code, body: { title, detail, status: code, later: 'more', ...more } }
}
