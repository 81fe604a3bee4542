import { randomUUID } from 'node:crypto'
import { type IdeogramOrder, type IdeogramReading, readGeneration, readLegacy, readV3 } from './ideogram-forms.ts'
import { denyPicture, pictureHostOf, showPicture } from './picture-host.ts'
import { makePicture } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * api.ideogram.ai as developer.ideogram.ai states it: `/generate`, `/v1/ideogram-v3/generate` and the new API with
 * `async`. What a generation says while it runs, and how it fails, is said nowhere and made up here. Modes beside those
 * of every vendor:
 *
 * - `refused` (422), `unauthorized`, `forbidden`, `quota`, `daily_limit`, `rate_limited retry-after=2`, `unavailable`,
 *   `server_error`, `gateway` (502 in the vendor's words), `invalid`, `too_large`, `retired` (404)
 * - `unsafe=1`: that picture is made, billed and held back, with a null link; `unsafe=1 link=empty`, `unsafe=1 link=kept`
 * - `fewer=1`: so many pictures less; `unlinked` (no link for a safe one), `dataless` (no `data`), `jpeg`
 * - `expired` (the link answers 403), `private_url`, `broken` (a part of a picture)
 * - of jobs: `held=job`, `polls=3` (looks until done), `flaky=2` (looks that answer 429 first), `failed`, `failed_status`,
 *   `refused_job`, `gone` (looks answer 404), `locked` (looks answer 401), `unnamed` (no generation_id)
 */
export function createIdeogramWire(setting: WireSetting): WireVendor {
  const works = new Map<string, Work>()
  return {
    isBillable: ({ method, query }) => method === 'POST' && query.get('dry_run') !== 'true',
    async handle(request, mode) {
      const { method, path, headers } = request
      if (path.startsWith('/ephemeral/')) return picture(request, works)
      if (!headers['api-key']) return { status: 401, body: { error: 'Api-Key header is missing' } }
      if (method === 'GET' && path.startsWith(LOOKS)) return look(path.slice(LOOKS.length), setting, works)
      const form = method === 'POST' ? formOf(path) : undefined
      if (!form) return { status: 404, body: { error: 'Not found' } }
      const failure = FAILURES[mode.name]
      if (failure) return failure(mode, request)
      const order = await form.read(request)
      if ('problem' in order) return { status: 400, body: { error: order.problem } }
      const work: Work = { id: randomUUID(), mode, order, looks: 0 }
      works.set(work.id, work)
      return form.isAsync ? accepted(work) : finished(work, setting)
    },
  }
}

type Work = { readonly id: string; readonly mode: WireMode; readonly order: IdeogramOrder; looks: number }
type Form = {
  readonly isAsync: boolean
  read(request: WireRequest): IdeogramReading | Promise<IdeogramReading>
}

const LOOKS = '/v2/generations/'
const NEW = '/v2/image/generate/'
const NEW_MODELS = ['ideogram-4-5', 'ideogram-4', 'ideogram-3', 'ideogram-3-character', 'ideogram-2', 'ideogram-2a']

function formOf(path: string): Form | undefined {
  if (path === '/generate') return { isAsync: false, read: readLegacy }
  if (path === '/v1/ideogram-v3/generate') return { isAsync: false, read: readV3 }
  const isNew = path.startsWith(NEW) && NEW_MODELS.includes(path.slice(NEW.length))
  return isNew ? { isAsync: true, read: readGeneration } : undefined
}

const FAILURES: Readonly<Record<string, (mode: WireMode, request: WireRequest) => WireReply>> = {
  refused: () => ({ status: 422, body: { error: 'The prompt did not pass our safety check' } }),
  unauthorized: (_mode, { headers }) => ({ status: 401, body: { error: `Invalid key: ${headers['api-key']}` } }),
  forbidden: () => ({ status: 403, body: { error: 'Not allowed for this key' } }),
  quota: () => ({ status: 402, body: { error: 'Not enough credits', reject_reason: 'insufficient_funds' } }),
  daily_limit: () => ({
    status: 402,
    body: { error: 'The limit of the day is reached', reject_reason: 'daily_limit' },
  }),
  rate_limited: (mode) => ({
    status: 429,
    headers: mode.settings['retry-after'] === undefined ? {} : { 'retry-after': mode.settings['retry-after'] },
    body: { error: 'Too many images in flight', reject_reason: 'inflight_limit', max_inflight_requests: 10 },
  }),
  unavailable: () => ({ status: 503, body: { error: 'Service unavailable' } }),
  server_error: () => ({ status: 500, body: { error: 'Internal error' } }),
  gateway: () => ({ status: 502, body: { error: 'Bad gateway' } }),
  invalid: () => ({ status: 400, body: { error: 'prompt is not to our taste' } }),
  too_large: () => ({ status: 413, body: { error: 'Payload too large' } }),
  retired: () => ({ status: 404, body: { error: 'Model not found' } }),
}

/** Older endpoints tell of their age. */
const AGE = { deprecation: 'true', link: '<https://api.ideogram.ai/v2/image/generate>; rel="successor-version"' }

function finished(work: Work, setting: WireSetting): WireReply {
  const { mode } = work
  const more = { created: '2026-11-16T12:00:00Z', notice: 'There is a newer API.' }
  if (mode.name === 'dataless') return { headers: AGE, body: more }
  return { headers: AGE, body: { ...more, data: listData(work, setting) } }
}

function accepted({ id, mode }: Work): WireReply {
  const name = mode.name === 'unnamed' ? {} : { generation_id: id }
  return { status: 202, body: { ...name, generation_kind: 'sampling', queued_ahead: 0 } }
}

function look(id: string, setting: WireSetting, works: ReadonlyMap<string, Work>): WireReply {
  const work = works.get(id)
  if (!work || work.mode.name === 'gone') return { status: 404, body: { error: 'Generation not found' } }
  const { mode, order } = work
  work.looks += 1
  if (mode.name === 'locked') return { status: 401, body: { error: 'Invalid key' } }
  if (work.looks <= (mode.number('flaky') ?? 0)) {
    return { status: 429, headers: { 'retry-after': '0' }, body: { error: 'Too many requests' } }
  }
  const base = { generation_id: id, generation_kind: 'sampling', seed: order.seed, extra: { unheard: 'of' } }
  const isHeld = mode.settings.held === 'job' && !setting.isReleased()
  if (isHeld || work.looks < (mode.number('polls') ?? 3)) {
    return { body: { ...base, data: work.looks === 1 ? [] : null, status: 'in_progress' } }
  }
  if (mode.name === 'failed') return { body: { ...base, error: 'The sampler broke', reject_reason: 'sampler' } }
  if (mode.name === 'failed_status') return { body: { ...base, data: [], status: 'FAILED' } }
  if (mode.name === 'refused_job') return { status: 422, body: { error: 'The picture did not pass our safety check' } }
  return { body: { ...base, data: listData(work, setting) } }
}

function listData(work: Work, { secondOrigin }: WireSetting): readonly object[] {
  const { id, mode, order } = work
  const host = pictureHostOf(mode, secondOrigin)
  return Array.from({ length: order.count - (mode.number('fewer') ?? 0) }, (_, index) => {
    const link = mode.name === 'unlinked' ? null : `${host}/ephemeral/${id}/${index}.png?exp=1764000000&sig=abc`
    const isSafe = mode.number('unsafe') !== index
    const kept = { empty: '', kept: link }[mode.settings.link ?? ''] ?? null
    return {
      url: isSafe ? link : kept,
      prompt: order.magic ? `A detailed picture of ${order.prompt}` : order.prompt,
      resolution: `${order.width}x${order.height}`,
      is_image_safe: isSafe,
      seed: order.seed + index,
      ...(order.style !== null && { style_type: order.style }),
      upscaled_resolution: null,
    }
  })
}

/** Signed by its query; the key has no business here. */
async function picture({ path, headers }: WireRequest, works: ReadonlyMap<string, Work>): Promise<WireReply> {
  const [id = '', file = ''] = path.slice('/ephemeral/'.length).split('/')
  const work = works.get(id)
  const index = Number.parseInt(file, 10)
  const isUnsafe = work?.mode.number('unsafe') === index
  if (!work || isUnsafe || work.mode.name === 'expired' || headers['api-key'] !== undefined) {
    return denyPicture(403, 'AccessDenied')
  }
  const { width, height } = work.order
  const format = work.mode.name === 'jpeg' ? 'jpeg' : 'png'
  const bytes = await makePicture({ width, height, format, index })
  return showPicture(bytes, format, work.mode)
}
