import { makePicture, type PictureFormat } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/** What each takes, how it answers, and how it says that something is wrong, as the source of each has it. */
export type CompatibleEngine = 'sd-server' | 'localai' | 'vllm-omni'

/**
 * A server that speaks OpenAI's images API below `/v1`. Modes beside those of every vendor: `invalid`, `server_error`,
 * `unavailable`, `unauthorized`, `rate_limited retry-after=2`, `quota`, `refused`, `refused_output`, `retired`,
 * `retired_plain` (404 without a code), `no_images`, `broken` (the second picture is none). With any of them: `images=1`
 * (fewer than asked), `extra=2` (more), `link=relative`, `link=absolute`, `link=data`, `link=private`, `link=gone`
 * (pictures as links), `usage=told`. With a `key` it wants that as Bearer.
 */
export function createOpenaiCompatibleWire(
  { origin }: WireSetting,
  options: { readonly engine?: CompatibleEngine; readonly key?: string } = {},
): WireVendor {
  const { engine = 'vllm-omni', key } = options
  return {
    isBillable: ({ method, path }) => method === 'POST' && IMAGES.test(path),
    handle(request, mode) {
      const { method, path, headers, query } = request
      // Of a static folder, which knows no keys.
      if (path.startsWith('/generated-images/')) {
        return headers.authorization === undefined ? showPicture(query) : { status: 400, body: 'No key here.' }
      }
      if (key !== undefined && headers.authorization !== `Bearer ${key}`) return errorOf(engine, 401, UNAUTHORIZED)
      if (method === 'GET' && path === '/v1/models') return { body: { object: 'list', data: MODELS } }
      return method === 'POST' && IMAGES.test(path)
        ? make(request, mode, engine, origin())
        : errorOf(engine, 404, NOT_FOUND)
    },
  }
}

const IMAGES = /^\/v1\/images\/(generations|edits)$/
const MODELS = ['sd-cpp-local', 'qwen-image'].map((id) => ({ id, object: 'model', owned_by: 'local', created: 1 }))

type Problem = { readonly code: string | number | null; readonly message: string; readonly type?: string }
const UNAUTHORIZED: Problem = { code: 'invalid_api_key', message: 'The key sk-… is not known.' }
const NOT_FOUND: Problem = { code: null, message: 'Not Found' }

const FAILURES: Readonly<Record<string, { readonly status: number } & Problem>> = {
  unauthorized: { status: 401, ...UNAUTHORIZED },
  invalid: { status: 400, code: null, message: 'size is not to our taste' },
  server_error: { status: 500, code: 'server_error', message: 'generate_image returned empty results' },
  unavailable: { status: 503, code: null, message: 'The engine is not ready.' },
  rate_limited: { status: 429, code: 'rate_limit_exceeded', message: 'Too many requests.' },
  quota: { status: 429, code: 'insufficient_quota', message: 'You have no credit.' },
  refused: { status: 400, code: 'content_policy_violation', message: 'We do not paint this.' },
  refused_output: { status: 400, code: 'moderation_blocked', message: 'We do not show this.' },
  retired: { status: 404, code: 'model_not_found', message: 'The model does not exist.' },
  retired_plain: { status: 404, ...NOT_FOUND },
}

/** Each engine's own form; a code that only OpenAI has is told in OpenAI's form by all of them. */
function errorOf(engine: CompatibleEngine, status: number, { code, message, type }: Problem): WireReply {
  const isOpenais = typeof code === 'string' && code !== 'server_error'
  if (engine === 'localai' || isOpenais) {
    return { status, body: { error: { code: code ?? status, message, type: type ?? '' } } }
  }
  if (engine === 'vllm-omni') return { status, body: { detail: message } }
  return { status, body: code === null ? { error: message } : { error: code, message } }
}

const FIELDS: Readonly<Record<CompatibleEngine, readonly string[]>> = {
  'sd-server': ['output_format', 'output_compression'],
  localai: ['step', 'quality', 'response_format', 'file', 'files', 'ref_images'],
  'vllm-omni': [
    'response_format',
    'negative_prompt',
    'num_inference_steps',
    'guidance_scale',
    'true_cfg_scale',
    'seed',
  ],
}

async function make(
  request: WireRequest,
  mode: WireMode,
  engine: CompatibleEngine,
  origin: string,
): Promise<WireReply> {
  const failure = FAILURES[mode.name]
  if (failure) {
    const retryAfter = mode.settings['retry-after']
    const headers = { 'x-request-id': 'req_1', ...(retryAfter !== undefined && { 'retry-after': retryAfter }) }
    return { headers, ...errorOf(engine, failure.status, failure) }
  }
  const body = await readBody(request)
  const fault = findFault(request, body, engine)
  if (fault !== undefined) return errorOf(engine, engine === 'vllm-omni' ? 422 : 400, { code: null, message: fault })
  const count =
    mode.name === 'no_images' ? 0 : (mode.number('images') ?? Number(body.n ?? 1) + (mode.number('extra') ?? 0))
  const data = await Promise.all(Array.from({ length: count }, (_, index) => show(body, mode, index, origin)))
  const told = {
    input_tokens: 20,
    output_tokens: 100,
    total_tokens: 120,
    input_tokens_details: { text_tokens: 12, image_tokens: 8 },
  }
  const zeros = {
    input_tokens: 0,
    output_tokens: 0,
    total_tokens: 0,
    input_tokens_details: { text_tokens: 0, image_tokens: 0 },
  }
  const usage = mode.settings.usage === 'told' ? told : zeros
  return { headers: { 'x-request-id': 'req_1' }, body: { id: 'x', created: 1, output_format: 'png', data, usage } }
}

type Fields = Readonly<Record<string, unknown>>

async function readBody({ path, json, form }: WireRequest): Promise<Fields> {
  if (path.endsWith('/generations')) return (json ?? {}) as Fields
  const fields = await form()
  return Object.fromEntries([...fields.keys()].map((name) => [name, fields.get(name)]))
}

function findFault({ path, headers }: WireRequest, body: Fields, engine: CompatibleEngine): string | undefined {
  const isEdit = path.endsWith('/edits')
  const type = isEdit ? 'multipart/form-data' : 'application/json'
  if (!headers['content-type']?.startsWith(type)) return `This wants ${type}.`
  const files = isEdit ? ['image', 'image[]', 'mask'] : []
  const unknown = Object.keys(body).find(
    (name) => !['model', 'prompt', 'n', 'size', ...files, ...FIELDS[engine]].includes(name),
  )
  if (unknown !== undefined) return `Extra inputs are not permitted: ${unknown}`
  if (typeof body.prompt !== 'string' || body.prompt === '') return 'A prompt is required.'
  if (body.size !== undefined && !/^\d+x\d+$/.test(String(body.size))) return 'A size is WxH.'
  if (isEdit && !(body.image instanceof File || body['image[]'] instanceof File)) return 'An image is required.'
  if (engine === 'vllm-omni' && ![undefined, 'b64_json'].includes(body.response_format as string))
    return 'Only b64_json.'
  return undefined
}

async function show(body: Fields, mode: WireMode, index: number, origin: string): Promise<object> {
  if (mode.name === 'broken' && index === 1) return { b64_json: null, url: null }
  const size = String(body.size ?? '512x512')
  const path = `/generated-images/b64-${index}.png?size=${size}&index=${index}`
  const links: Readonly<Record<string, string>> = {
    relative: path,
    absolute: `${origin}${path}`,
    private: `http://10.1.2.3${path}`,
    gone: `${origin}/generated-images/`,
    data: `data:image/png;base64,${(await paint(size, index, body)).toString('base64')}`,
  }
  const url = links[mode.settings.link ?? '']
  if (url !== undefined) return { url, revised_prompt: null }
  return {
    b64_json: (await paint(size, index, body)).toString('base64'),
    url: null,
    revised_prompt: 'a red fox, revised',
  }
}

function paint(size: string, index: number, { output_format }: Fields): Promise<Buffer> {
  const [width = 512, height = 512] = size.split('x').map(Number)
  return makePicture({ width, height, index, format: (output_format ?? 'png') as PictureFormat })
}

async function showPicture(query: URLSearchParams): Promise<WireReply> {
  const size = query.get('size')
  if (size === null) return { status: 404, body: '' }
  return { headers: { 'content-type': 'image/png' }, body: await paint(size, Number(query.get('index')), {}) }
}
