import { createHmac, randomUUID } from 'node:crypto'
import { type CallBacks, type CallKind, createCallBacks, STALE_S } from './callbacks.ts'
import { denyPicture, pictureHostOf, showPicture } from './picture-host.ts'
import { makePicture, type PictureFormat } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * api.bfl.ai as docs.bfl.ai states it. Modes beside those of every vendor: `refused` (input), `refused_output`,
 * `failed`, `gone`, `unauthorized`, `quota`, `rate_limited retry-after=2`, `unavailable`, `invalid`, `server_error`,
 * `expired` (the link answers 403), `private_url`, `broken` (half a picture), `held=job`, `polls=3` (looks until
 * ready), `flaky=2` (looks that answer 503 first), `unknown=2` (looks that know no such job first), `cost=4.5`,
 * `calls=good,good` (how it calls back, where it is told to; `calls=` not at all), `told=polling` (a submission with a
 * webhook is answered with the polling address all the same).
 */
export function createFluxWire(setting: WireSetting): WireVendor {
  const jobs = new Map<string, Job>()
  const callBacks = createCallBacks({ setting, jobs, urlOf: ({ body }) => textOf(body.webhook_url), sign })
  return {
    callBacks: callBacks.all,
    isBillable: ({ method, path }) => method === 'POST' && path.startsWith('/v1/'),
    handle(request, mode) {
      if (request.path.startsWith('/samples/')) return sample(request, jobs)
      if (request.headers['x-key'] === undefined || request.headers['x-key'] === '')
        return { status: 403, body: { detail: 'Not authenticated' } }
      if (request.method === 'POST') return submit(request, mode, setting, jobs)
      if (request.path === '/v1/get_result') return poll(request, setting, { jobs, callBacks })
      return { status: 404, body: { detail: 'Not Found' } }
    },
  }
}

type Job = {
  readonly id: string
  readonly mode: WireMode
  readonly body: Readonly<Record<string, unknown>>
  looks: number
}

const COMMON = ['prompt', 'seed', 'safety_tolerance', 'output_format', 'webhook_url', 'webhook_secret']
const PIXELS = ['width', 'height']
const REFERENCES = ['input_image', ...[2, 3, 4, 5, 6, 7, 8].map((place) => `input_image_${place}`)]
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'flux-dev': [...PIXELS, 'steps', 'guidance', 'image_prompt', 'prompt_upsampling'],
  'flux-pro-1.1': [...PIXELS, 'image_prompt', 'prompt_upsampling'],
  'flux-pro-1.1-ultra': ['aspect_ratio', 'raw', 'image_prompt', 'image_prompt_strength'],
  'flux-kontext-pro': ['aspect_ratio', 'input_image', 'prompt_upsampling'],
  'flux-kontext-max': ['aspect_ratio', 'input_image', 'prompt_upsampling'],
  'flux-2-pro': [...PIXELS, ...REFERENCES],
  'flux-2-max': [...PIXELS, ...REFERENCES],
  'flux-2-flex': [...PIXELS, ...REFERENCES, 'steps', 'guidance', 'prompt_upsampling'],
  'flux-2-klein-4b': [...PIXELS, ...REFERENCES.slice(0, 4)],
  'flux-2-klein-9b': [...PIXELS, ...REFERENCES.slice(0, 4)],
}

function submit(
  { json, path }: WireRequest,
  mode: WireMode,
  { secondOrigin }: WireSetting,
  jobs: Map<string, Job>,
): WireReply {
  const refusal = SUBMIT_FAILURES[mode.name]
  if (refusal) return refusal(mode)
  const endpoint = path.slice('/v1/'.length)
  const fields = FIELDS[endpoint]
  if (!fields) return { status: 404, body: { detail: 'Not Found' } }
  const problem = findProblem(json, endpoint, fields)
  if (problem)
    return { status: 422, body: { detail: [{ loc: ['body', problem.field], msg: problem.msg, type: 'value_error' }] } }
  const id = randomUUID()
  jobs.set(id, { id, mode, body: json as Job['body'], looks: 0 })
  const cost = mode.number('cost') ?? 4
  const webhook_url = textOf((json as Job['body']).webhook_url)
  // From memory, unverified.
  if (webhook_url !== null && mode.settings.told !== 'polling') return { body: { id, status: 'Pending', webhook_url } }
  return { body: { id, polling_url: `${secondOrigin()}/v1/get_result?id=${id}`, cost, input_mp: 0, output_mp: 1 } }
}

const SUBMIT_FAILURES: Readonly<Record<string, (mode: WireMode) => WireReply>> = {
  unauthorized: () => ({ status: 403, body: { detail: 'Not authenticated' } }),
  quota: () => ({ status: 402, body: { detail: 'Insufficient credits' } }),
  rate_limited: (mode) => ({
    status: 429,
    headers: mode.settings['retry-after'] === undefined ? {} : { 'retry-after': mode.settings['retry-after'] },
    body: { detail: 'Too many active tasks' },
  }),
  unavailable: () => ({ status: 503, body: { detail: 'Service unavailable' } }),
  server_error: () => ({ status: 500, body: { detail: 'Internal server error' } }),
  invalid: () => ({
    status: 422,
    body: { detail: [{ loc: ['body', 'prompt'], msg: 'is not to our taste', type: 'value_error' }] },
  }),
}

function findProblem(
  json: unknown,
  endpoint: string,
  fields: readonly string[],
): { readonly field: string; readonly msg: string } | undefined {
  if (typeof json !== 'object' || json === null) return { field: 'body', msg: 'Input should be an object' }
  const body = json as Readonly<Record<string, unknown>>
  const unknown = Object.keys(body).find((key) => ![...COMMON, ...fields].includes(key))
  if (unknown) return { field: unknown, msg: 'Extra inputs are not permitted' }
  if (typeof body.prompt !== 'string') return { field: 'prompt', msg: 'Field required' }
  if (body.output_format !== undefined && !['jpeg', 'png', 'webp'].includes(String(body.output_format)))
    return { field: 'output_format', msg: "Input should be 'jpeg' or 'png'" }
  for (const side of PIXELS) {
    const value = body[side]
    if (value === undefined) continue
    const isFlux2 = endpoint.startsWith('flux-2')
    const [min, max, step] = isFlux2 ? [64, 4096, 16] : [256, 1440, 32]
    if (typeof value !== 'number' || value < min || value > max || value % step !== 0)
      return { field: side, msg: `Input should be a multiple of ${step} from ${min} to ${max}` }
  }
  return undefined
}

async function poll(
  { query }: WireRequest,
  { isReleased, secondOrigin }: WireSetting,
  { jobs, callBacks }: { jobs: Map<string, Job>; callBacks: CallBacks<Job> },
): Promise<WireReply> {
  const job = jobs.get(query.get('id') ?? '')
  if (!job) return { body: { id: query.get('id'), status: 'Task not found', result: null } }
  const { id, mode } = job
  job.looks += 1
  if (job.looks <= (mode.number('unknown') ?? 0)) return { body: { id, status: 'Task not found', result: null } }
  if (job.looks <= (mode.number('flaky') ?? 0)) return { status: 503, body: { detail: 'Service unavailable' } }
  const pending = { id, result: null, details: null, preview: null }
  if (mode.settings.held === 'job' && !isReleased()) return { body: { ...pending, status: 'Pending', progress: 0.1 } }
  const polls = mode.number('polls') ?? 2
  if (job.looks < polls) return { body: { ...pending, status: 'Pending', progress: job.looks / (polls + 1) } }
  // A status that FLUX 3 adds and nobody here knows.
  if (job.looks === polls) return { body: { ...pending, status: 'Reasoning', progress: polls / (polls + 1) } }
  callBacks.tell(job)
  const end = ENDS[mode.name]
  if (end) return { body: { ...pending, ...end } }
  const host = pictureHostOf(mode, secondOrigin)
  const result = {
    sample: `${host}/samples/${id}?sig=abc`,
    prompt: job.body.prompt,
    seed: job.body.seed ?? 42,
    duration: 1.5,
  }
  return { body: { ...pending, status: 'Ready', progress: 1, result } }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** As bfl-skills shows it; `stale` is a call that the signature itself says nothing of. */
function sign({ id, mode, body }: Job, kind: CallKind) {
  const now = Math.floor(Date.now() / 1000) - (kind === 'stale' ? STALE_S : 0)
  const end = mode.name === 'ok' ? { status: 'Ready', result: { prompt: body.prompt } } : { status: 'Error' }
  const text = JSON.stringify({ id, ...end, timestamp: new Date(now * 1000).toISOString() })
  const secret = kind === 'forged' ? 'somebody else' : String(body.webhook_secret)
  const signature = createHmac('sha256', secret).update(text).digest('hex')
  return {
    headers: kind === 'unsigned' ? {} : { 'x-bfl-signature': `sha256=${signature}` },
    body: kind === 'altered' ? `${text} ` : text,
  }
}

const ENDS: Readonly<Record<string, object>> = {
  refused: { status: 'Request Moderated', details: { 'Moderation Reasons': ['Safety Filter'] } },
  refused_output: { status: 'Content Moderated', details: { 'Moderation Reasons': ['Derivative Works Filter'] } },
  failed: { status: 'Error' },
  gone: { status: 'Task not found' },
}

/** Signed by its query; the key has no business here. */
async function sample({ path, headers }: WireRequest, jobs: Map<string, Job>): Promise<WireReply> {
  const job = jobs.get(path.slice('/samples/'.length))
  if (!job || job.mode.name === 'expired' || headers['x-key'] !== undefined) return denyPicture(403, 'AccessDenied')
  const { width, height, aspect_ratio, output_format } = job.body
  const [across, down] = String(aspect_ratio ?? '1:1')
    .split(':')
    .map(Number)
  const side = { width: Number(width ?? 64 * (across ?? 1)), height: Number(height ?? 64 * (down ?? 1)) }
  const format = String(output_format ?? 'jpeg') as PictureFormat
  const bytes = await makePicture({ ...side, format, index: [...jobs.keys()].indexOf(job.id) })
  return showPicture(bytes, format, job.mode)
}
