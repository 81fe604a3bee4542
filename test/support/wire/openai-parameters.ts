/**
 * What the Images API takes of which model, as strict as it says it is. Source: types of OpenAI's SDK 7.57.0; that 2.6
 * takes the sizes of 2.5 is unverified.
 */

/** `1` is gpt-image-1, mini, 1.5 and chatgpt-image-latest. */
export type Family = 'dall-e-2' | 'dall-e-3' | '1' | '2' | '2.5' | '2.6'

export type Fields = Readonly<Record<string, unknown>>
export type Fault = { readonly param: string; readonly code: string; readonly message: string }

export function familyOf(model: unknown): Family | undefined {
  const name = String(model)
  if (name === 'dall-e-2' || name === 'dall-e-3') return name
  if (/^(gpt-image-1|gpt-image-1-mini|gpt-image-1\.5(-2025-12-16)?|chatgpt-image-latest)$/.test(name)) return '1'
  const match = /^gpt-image-(2|2\.5-(?:sunburst|flare)|2\.6-(?:sunburst|flare))(-\d{4}-\d\d-\d\d)?$/.exec(name)
  return match?.[1]?.split('-')[0] as Family | undefined
}

export function isRetired(model: unknown): boolean {
  return ['dall-e-2', 'dall-e-3', 'gpt-image-1'].includes(String(model))
}

type Check = (value: unknown, fields: Fields, family: Family) => boolean

const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value)
const between =
  (min: number, max: number): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
const isText: Check = (value) => typeof value === 'string'

const COMMON: Readonly<Record<string, Check>> = {
  model: isText,
  prompt: (value, _, family) =>
    typeof value === 'string' && value !== '' && [...value].length <= (PROMPT_LIMITS[family] ?? 32_000),
  n: (value, fields, family) =>
    between(1, family === 'dall-e-3' ? 1 : 10)(value, fields, family) && (value === 1 || fields.stream !== true),
  size: (value, _, family) => isSize(String(value), family),
  user: isText,
}

const PROMPT_LIMITS: Partial<Record<Family, number>> = { 'dall-e-2': 1000, 'dall-e-3': 4000 }

const GPT_IMAGE: Readonly<Record<string, Check>> = {
  ...COMMON,
  quality: (value, _, family) =>
    ['auto', 'low', 'medium', 'high', ...(family.startsWith('2.') ? ['xhigh', 'max'] : [])].includes(String(value)),
  background: (value, fields) =>
    ['auto', 'opaque'].includes(String(value)) || (value === 'transparent' && fields.output_format !== 'jpeg'),
  output_format: oneOf('png', 'jpeg', 'webp'),
  output_compression: (value, fields, family) =>
    between(0, 100)(value, fields, family) && ['jpeg', 'webp'].includes(String(fields.output_format)),
  stream: oneOf(true, false),
  partial_images: (value, fields, family) => between(0, 3)(value, fields, family) && fields.stream === true,
  safety_identifier: isText,
}

const COMPLEXITY = { complexity: oneOf('low', 'medium', 'high') }
const DALLE = { ...COMMON, response_format: oneOf('url', 'b64_json') }

/** The fields that an endpoint has for a model. */
function fieldsOf(family: Family, model: string, isEdit: boolean): Readonly<Record<string, Check>> {
  if (family === 'dall-e-2') return { ...DALLE, quality: oneOf('standard') }
  if (family === 'dall-e-3') return { ...DALLE, quality: oneOf('standard', 'hd'), style: oneOf('vivid', 'natural') }
  const fidelity = model.startsWith('gpt-image-1.5') ? ['high', 'low'] : model === 'gpt-image-1-mini' ? ['low'] : []
  return {
    ...GPT_IMAGE,
    ...(family === '2.6' && COMPLEXITY),
    ...(!isEdit && { moderation: oneOf('auto', 'low') }),
    ...(isEdit && fidelity.length > 0 && { input_fidelity: oneOf(...fidelity) }),
  }
}

export function findFault(fields: Fields, family: Family, isEdit: boolean): Fault | undefined {
  const known = fieldsOf(family, String(fields.model), isEdit)
  for (const [param, value] of Object.entries(fields)) {
    const check = known[param]
    if (!check) return { param, code: 'unknown_parameter', message: `Unknown parameter: '${param}'.` }
    if (!check(value, fields, family)) return { param, code: 'invalid_value', message: `Invalid value: '${value}'.` }
  }
  if (fields.prompt === undefined)
    return { param: 'prompt', code: 'missing_required_parameter', message: "Missing required parameter: 'prompt'." }
  return undefined
}

export function sizeOf(fields: Fields): { readonly width: number; readonly height: number } {
  const [width = 1024, height = 1024] = /^\d+x\d+$/.test(String(fields.size)) ? String(fields.size).split('x') : []
  return { width: Number(width), height: Number(height) }
}

const SIZES: Partial<Record<Family, readonly string[]>> = {
  'dall-e-2': ['256x256', '512x512', '1024x1024'],
  'dall-e-3': ['1024x1024', '1792x1024', '1024x1792'],
  '1': ['auto', '1024x1024', '1536x1024', '1024x1536'],
}

function isSize(size: string, family: Family): boolean {
  const listed = SIZES[family]
  if (listed) return listed.includes(size)
  if (size === 'auto') return true
  if (!/^\d+x\d+$/.test(size)) return false
  const { width, height } = sizeOf({ size })
  const [long, short] = [Math.max(width, height), Math.min(width, height)]
  const area = width * height
  if (width % 16 !== 0 || height % 16 !== 0 || long > 3 * short || long > 3840) return false
  return area >= 655_360 && area <= 3840 * 2160
}
