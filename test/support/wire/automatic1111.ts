import { setTimeout as delay } from 'node:timers/promises'
import { makePicture } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * The `/sdapi/v1` of AUTOMATIC1111 and Forge as Forge's code has it: one job at a time, one long request, progress
 * for whoever asks. Modes beside those of every vendor: `invalid` (FastAPI's list), `invalid_engine` (the server's own
 * form), `out_of_memory`, `no_api` (404), `unauthorized`, `unavailable`, `interrupted` (by somebody else), `no_images`,
 * `broken` (one picture is none). With any of them: `polls=3` (paints until its progress was told so often),
 * `held=job`, `images=1` (fewer than asked), `grid=1` (one comes first), `grid=silent` (and nothing says so),
 * `info=none`, `age=old` (progress does not say whose it is), `busy=3` (a stranger's job runs first, for so many
 * polls). A server with `credentials` wants HTTP Basic.
 */
export function createAutomatic1111Wire(
  { isReleased }: WireSetting,
  options: { readonly credentials?: string } = {},
): WireVendor {
  const engine: Engine = { isReleased, running: null, polls: 0, lock: Promise.resolve(), isClosed: false }
  return {
    isBillable: ({ method, path }) => method === 'POST' && PAINTING.test(path),
    handle(request, mode) {
      const { method, path, headers } = request
      const { credentials } = options
      const basic = credentials === undefined ? null : `Basic ${Buffer.from(credentials).toString('base64')}`
      if (basic !== null && headers.authorization !== basic) return UNAUTHORIZED
      if (method === 'POST' && PAINTING.test(path)) return paint(request, mode, engine)
      const route = ROUTES[`${method} ${path}`]
      return route ? route(request, engine) : NOT_FOUND
    },
    close() {
      engine.isClosed = true
    },
  }
}

const PAINTING = /^\/sdapi\/v1\/(txt|img)2img$/
const UNAUTHORIZED: WireReply = { status: 401, body: { detail: 'Incorrect username or password' } }
const NOT_FOUND: WireReply = { status: 404, body: { detail: 'Not Found' } }

type Job = { readonly task: string; readonly mode: WireMode; isInterrupted: boolean }

type Engine = {
  readonly isReleased: () => boolean
  running: Job | null
  /** How often progress was asked for since the job began. */
  polls: number
  lock: Promise<void>
  isClosed: boolean
}

const TEXT_FIELDS = [
  'prompt',
  'negative_prompt',
  'styles',
  'seed',
  'subseed',
  'sampler_name',
  'scheduler',
  'steps',
  'cfg_scale',
  'width',
  'height',
  'batch_size',
  'n_iter',
  'restore_faces',
  'tiling',
  'enable_hr',
  'override_settings',
  'send_images',
  'override_settings_restore_afterwards',
  'save_images',
  'alwayson_scripts',
  'force_task_id',
]
const IMAGE_FIELDS = [...TEXT_FIELDS, 'init_images', 'mask', 'inpainting_mask_invert', 'denoising_strength']

type Body = Readonly<Record<string, unknown>>

async function paint({ path, json, headers }: WireRequest, mode: WireMode, engine: Engine): Promise<WireReply> {
  const refusal = FAILURES[mode.name]
  if (refusal) return refusal
  const fault = findFault(json, path.endsWith('img2img') ? IMAGE_FIELDS : TEXT_FIELDS)
  if (fault || headers['content-type'] !== 'application/json') return { status: 422, body: { detail: [fault] } }
  const body = json as Body
  const held = Promise.withResolvers<void>()
  const before = engine.lock
  engine.lock = held.promise
  await before
  if (mode.settings.busy)
    await run(engine, { task: 'task(a-stranger)', mode, isInterrupted: false }, mode.number('busy') ?? 1)
  const job: Job = { task: String(body.force_task_id ?? 'task(1)'), mode, isInterrupted: mode.name === 'interrupted' }
  await run(engine, job, mode.number('polls') ?? 0)
  held.resolve()
  return { body: await resultOf(body, mode) }
}

async function run(engine: Engine, job: Job, polls: number): Promise<void> {
  engine.running = job
  engine.polls = 0
  const isHeld = () => job.mode.settings.held === 'job' && !engine.isReleased()
  const isOwnInterrupted = () => job.isInterrupted && job.mode.name !== 'interrupted'
  // Who asks once more has read the answer before.
  const isWatched = () => polls > 0 && engine.polls <= polls
  while ((isWatched() || isHeld()) && !isOwnInterrupted() && !engine.isClosed) await delay(1)
  engine.running = null
}

const FAILURES: Readonly<Record<string, WireReply>> = {
  unauthorized: UNAUTHORIZED,
  no_api: NOT_FOUND,
  unavailable: { status: 503, body: { detail: 'Service Unavailable' } },
  invalid: {
    status: 422,
    body: { detail: [{ loc: ['body', 'steps'], msg: 'value is not a valid integer', type: 'x' }] },
  },
  invalid_engine: {
    status: 422,
    body: { error: 'HTTPException', detail: 'Sampler not found', body: '', errors: '' },
  },
  out_of_memory: {
    status: 500,
    body: { error: 'OutOfMemoryError', detail: '', body: '{"prompt": "a secret"}', errors: 'CUDA out of memory.' },
  },
}

function findFault(json: unknown, fields: readonly string[]): object | undefined {
  const told = (field: string, msg: string) => ({ loc: ['body', field], msg, type: 'value_error' })
  if (typeof json !== 'object' || json === null) return told('', 'value is not a valid dict')
  const body = json as Body
  const unknown = Object.keys(body).find((key) => !fields.includes(key))
  if (unknown) return told(unknown, 'extra fields not permitted')
  const odd = ['width', 'height'].find((side) => body[side] !== undefined && Number(body[side]) % 8 !== 0)
  if (odd) return told(odd, 'is no multiple of 8')
  if (fields === IMAGE_FIELDS && !Array.isArray(body.init_images)) return told('init_images', 'field required')
  return body.save_images === false ? undefined : told('save_images', 'leaves copies on the disk')
}

async function resultOf(body: Body, mode: WireMode): Promise<object> {
  const count = mode.number('images') ?? Number(body.batch_size ?? 1) * Number(body.n_iter ?? 1)
  const size = { width: Number(body.width ?? 512), height: Number(body.height ?? 512) }
  const pictures = await Promise.all(
    Array.from({ length: mode.name === 'no_images' ? 0 : count }, (_, index) => makePicture({ ...size, index })),
  )
  const images = pictures.map((bytes, index) => (mode.name === 'broken' && index === 1 ? '' : toBase64(bytes)))
  const seed = Number(body.seed ?? 1000)
  const isTold = mode.settings.grid !== undefined && mode.settings.grid !== 'silent'
  const info = {
    seed,
    all_seeds: Array.from({ length: count }, (_, index) => seed + index),
    infotexts: ['a red fox in snow\nSteps: 20'],
    ...(isTold && { index_of_first_image: 1 }),
  }
  const grid = mode.settings.grid === undefined ? [] : [toBase64(await makePicture({ width: 1024, height: 8 }))]
  return {
    images: [...grid, ...images],
    parameters: body,
    info: mode.settings.info === 'none' ? '' : JSON.stringify(info),
  }
}

type Route = (request: WireRequest, engine: Engine) => WireReply | Promise<WireReply>

const progress: Route = async ({ query }, engine) => {
  const { running: job, polls } = engine
  engine.polls += 1
  const state = {
    skipped: false,
    interrupted: job?.isInterrupted ?? false,
    job: 'x',
    job_count: job ? 1 : 0,
    job_no: 0,
  }
  if (!job)
    return { body: { progress: 0, eta_relative: 0, state, current_image: null, textinfo: null, current_task: null } }
  const isShown = query.get('skip_current_image') !== 'true'
  // Of its own size, so that a test can tell whose it is.
  const side = job.task.startsWith('pictor-') ? 16 : 48
  const picture = await makePicture({ width: side, height: side, index: polls })
  const task = job.mode.settings.age === 'old' ? {} : { current_task: job.task }
  return {
    body: {
      progress: Math.min(1, polls / 4),
      eta_relative: 1.5,
      state: { ...state, sampling_step: polls, sampling_steps: 4, job_timestamp: '20261122101010' },
      current_image: isShown ? toBase64(picture) : null,
      textinfo: null,
      ...task,
    },
  }
}

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /sdapi/v1/progress': progress,
  'POST /sdapi/v1/interrupt'(_request, { running }) {
    if (running) running.isInterrupted = true
    return { body: {} }
  },
  'GET /sdapi/v1/sd-models': () => ({
    body: [
      { title: 'sdxl.safetensors [31e35c80fc]', model_name: 'sdxl', hash: '31e35c80fc', sha256: null, config: null },
      { title: 'anime.ckpt', model_name: 'anime', hash: null, sha256: null, filename: 'anime.ckpt', config: null },
    ],
  }),
}

function toBase64(bytes: Buffer): string {
  return bytes.toString('base64')
}
