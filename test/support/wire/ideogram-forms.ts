import { isObject, parseJson } from './json-object.ts'
import type { WireRequest } from './wire-server.ts'

/** What was asked for, in whichever form; or what the vendor says against it. */
export type IdeogramOrder = {
  readonly prompt: string
  readonly count: number
  readonly seed: number
  readonly magic: boolean
  readonly style: string | null
  readonly width: number
  readonly height: number
}
export type IdeogramReading = IdeogramOrder | { readonly problem: string }

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown, fields: Fields) => boolean

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    allowed.includes(String(value))
const isText: Check = (value) => typeof value === 'string' && value !== ''
const isWhole = (min: number, max: number): Check => {
  return (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max
}
const isPalette: Check = (value) => {
  if (typeof value !== 'object' || value === null) return false
  return 'name' in value ? isText(value.name, {}) : 'members' in value
}
const modelOf = ({ model }: Fields) => String(model ?? 'V_2')
const isOfModel = (...models: readonly string[]): Check => {
  return (_value, fields) => models.includes(modelOf(fields).replace(/_TURBO$/, ''))
}
const both =
  (...checks: readonly Check[]): Check =>
  (value, fields) =>
    checks.every((check) => check(value, fields))

const LEGACY_RATIOS = ['1_1', '10_16', '16_10', '9_16', '16_9', '3_2', '2_3', '4_3', '3_4', '1_3', '3_1']
const LEGACY: Readonly<Record<string, Check>> = {
  prompt: isText,
  model: oneOf('V_1', 'V_1_TURBO', 'V_2', 'V_2_TURBO', 'V_2A', 'V_2A_TURBO', 'AUTO'),
  aspect_ratio: oneOf(...LEGACY_RATIOS.map((ratio) => `ASPECT_${ratio}`)),
  // The one of 78 that is known here.
  resolution: both(oneOf('RESOLUTION_1024_1024'), isOfModel('V_2')),
  magic_prompt_option: oneOf('AUTO', 'ON', 'OFF'),
  seed: isWhole(0, 2_147_483_647),
  style_type: both(oneOf('AUTO', 'GENERAL', 'REALISTIC', 'DESIGN', 'RENDER_3D', 'ANIME'), isOfModel('V_2', 'V_2A')),
  negative_prompt: both(isText, isOfModel('V_1', 'V_2')),
  num_images: isWhole(1, 8),
  color_palette: isPalette,
}

const V3_RATIOS = '1x3 3x1 1x2 2x1 9x16 16x9 10x16 16x10 2x3 3x2 3x4 4x3 4x5 5x4 1x1'.split(' ')
const V3: Readonly<Record<string, Check>> = {
  prompt: isText,
  seed: isWhole(0, 2_147_483_647),
  // None of 69 is known here.
  resolution: () => false,
  aspect_ratio: oneOf(...V3_RATIOS),
  rendering_speed: oneOf('FLASH', 'TURBO', 'DEFAULT', 'QUALITY'),
  magic_prompt: oneOf('AUTO', 'ON', 'OFF'),
  negative_prompt: isText,
  num_images: isWhole(1, 8),
  color_palette: isPalette,
  style_codes: (value, fields) =>
    Array.isArray(value) && value.every((code) => /^[0-9a-f]{8}$/i.test(code)) && fields.style_type === undefined,
  style_type: oneOf('AUTO', 'GENERAL', 'REALISTIC', 'DESIGN', 'FICTION'),
  style_preset: isText,
}

/** Of the other fields nothing is stated, so that any other is one too many. */
const GENERATION: Readonly<Record<string, Check>> = { prompt: isText, async: (value) => value === true }

export function readLegacy({ headers, json }: WireRequest): IdeogramReading {
  if (headers['content-type'] !== 'application/json') return { problem: 'Content-Type must be application/json' }
  const { image_request: fields, ...others } = isObject(json) ? json : {}
  const [other] = Object.keys(others)
  if (other !== undefined) return { problem: `Unknown field: ${other}` }
  if (!isObject(fields)) return { problem: 'image_request is required' }
  const [width, height] = shapeOf(String(fields.aspect_ratio ?? fields.resolution ?? '').replace(/^[A-Z]+_/, ''), '_')
  return toReading(fields, LEGACY, { magic: fields.magic_prompt_option === 'ON', width, height })
}

export async function readV3(request: WireRequest): Promise<IdeogramReading> {
  if (!request.headers['content-type']?.startsWith('multipart/form-data; boundary=')) {
    return { problem: 'Content-Type must be multipart/form-data' }
  }
  const form = await request.form()
  const fields: Record<string, unknown> = {}
  for (const name of form.keys()) fields[name] = readField(name, form.getAll(name).map(String))
  const [width, height] = shapeOf(String(fields.aspect_ratio ?? ''), 'x')
  return toReading(fields, V3, { magic: fields.magic_prompt === 'ON', width, height })
}

export function readGeneration({ headers, json }: WireRequest): IdeogramReading {
  if (headers['content-type'] !== 'application/json') return { problem: 'Content-Type must be application/json' }
  if (!isObject(json)) return { problem: 'A JSON object is required' }
  return toReading(json, GENERATION, { magic: false, width: 256, height: 256 })
}

function readField(name: string, texts: readonly string[]): unknown {
  if (name === 'style_codes') return texts
  const [text = '', ...more] = texts
  // Given twice.
  if (more.length > 0) return undefined
  if (name === 'seed' || name === 'num_images') return /^\d+$/.test(text) ? Number(text) : text
  return name === 'color_palette' ? parseJson(text) : text
}

function toReading(
  fields: Fields,
  checks: Readonly<Record<string, Check>>,
  more: Pick<IdeogramOrder, 'magic' | 'width' | 'height'>,
): IdeogramReading {
  for (const [name, value] of Object.entries(fields)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (!check) return { problem: `Unknown field: ${name}` }
    if (!check(value, fields)) return { problem: `Invalid value of ${name}` }
  }
  if (fields.prompt === undefined) return { problem: 'prompt is required' }
  if (fields.resolution !== undefined && fields.aspect_ratio !== undefined) {
    return { problem: 'resolution and aspect_ratio exclude one another' }
  }
  return {
    prompt: String(fields.prompt),
    count: Number(fields.num_images ?? 1),
    seed: Number(fields.seed ?? 1234),
    style: typeof fields.style_type === 'string' ? fields.style_type : null,
    ...more,
  }
}

/** Small pictures of the ratio's shape; a resolution as it is. */
function shapeOf(text: string, between: string): [width: number, height: number] {
  const [across = 0, down = 0] = text.split(between).map(Number)
  if (!(across > 0 && down > 0)) return [256, 256]
  return across < 100 ? [across * 20, down * 20] : [across, down]
}
