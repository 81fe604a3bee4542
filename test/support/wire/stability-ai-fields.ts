/** The fields of api.stability.ai and what they take; the answer is the vendor's complaint. */

const RATIOS = ['21:9', '16:9', '3:2', '5:4', '1:1', '4:5', '2:3', '9:16', '9:21']

const STYLES = [
  ...['3d-model', 'analog-film', 'anime', 'cinematic', 'comic-book', 'digital-art', 'enhance', 'fantasy-art'],
  ...['isometric', 'line-art', 'low-poly', 'modeling-compound', 'neon-punk', 'origami', 'photographic', 'pixel-art'],
  'tile-texture',
]

type Check = (value: string) => boolean

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    allowed.includes(value)

const number =
  (min: number, max: number): Check =>
  (value) =>
    /^-?\d+(\.\d+)?$/.test(value) && Number(value) >= min && Number(value) <= max

const integer =
  (min: number, max: number): Check =>
  (value) =>
    /^\d+$/.test(value) && number(min, max)(value)

const COMMON: Readonly<Record<string, Check>> = {
  prompt: (value) => value.length >= 1 && value.length <= 10_000,
  negative_prompt: (value) => value.length <= 10_000,
  aspect_ratio: oneOf(...RATIOS),
  seed: integer(0, 4_294_967_294),
  output_format: oneOf('png', 'jpeg', 'webp'),
}

const FIELDS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  ultra: { ...COMMON, strength: number(0, 1) },
  core: { ...COMMON, style_preset: oneOf(...STYLES) },
  sd3: {
    ...COMMON,
    output_format: oneOf('png', 'jpeg'),
    strength: number(0, 1),
    mode: oneOf('text-to-image', 'image-to-image'),
    model: oneOf(...['sd3.5-large', 'sd3.5-large-turbo', 'sd3.5-medium', 'sd3-large', 'sd3-large-turbo', 'sd3-medium']),
    cfg_scale: number(1, 10),
  },
}

/** Of v2beta. */
export function checkForm(endpoint: string, form: FormData): string | undefined {
  const fields = FIELDS[endpoint] ?? {}
  const image = form.get('image')
  for (const [name, value] of form) {
    if (form.getAll(name).length > 1) return `${name}: must be given once`
    if (name === 'image' && endpoint !== 'core') {
      if (!(value instanceof File) || !/^image\/(png|jpeg|webp)$/.test(value.type)) return 'image: must be a picture'
      continue
    }
    const check = fields[name]
    if (!check) return `${name}: is not allowed`
    if (typeof value !== 'string' || !check(value)) return `${name}: has a value that is not allowed`
  }
  if (!form.has('prompt')) return 'prompt: is required'
  if (image !== null && !form.has('strength')) return 'strength: is required with an image'
  if (endpoint !== 'sd3') return undefined
  const isEdit = form.get('mode') === 'image-to-image'
  if (isEdit !== (image !== null)) return 'mode: an image goes with image-to-image, and only with it'
  if (isEdit && form.has('aspect_ratio')) return 'aspect_ratio: is only for text-to-image'
  return undefined
}

const SIZES = [
  ...['1024x1024', '1152x896', '896x1152', '1216x832', '832x1216'],
  ...['1344x768', '768x1344', '1536x640', '640x1536'],
]

const ENGINE_FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  width: (value) => typeof value === 'number',
  height: (value) => typeof value === 'number',
  cfg_scale: (value) => typeof value === 'number' && value >= 0 && value <= 35,
  clip_guidance_preset: (value) =>
    ['FAST_BLUE', 'FAST_GREEN', 'NONE', 'SIMPLE', 'SLOW', 'SLOWER', 'SLOWEST'].includes(String(value)),
  sampler: (value) =>
    /^(DDIM|DDPM|K_(DPMPP_2M|DPMPP_2S_ANCESTRAL|DPM_2|DPM_2_ANCESTRAL|EULER|EULER_ANCESTRAL|HEUN|LMS))$/.test(
      String(value),
    ),
  samples: (value) => isInteger(value, 1, 10),
  seed: (value) => isInteger(value, 0, 4_294_967_295),
  steps: (value) => isInteger(value, 10, 50),
  style_preset: (value) => STYLES.includes(String(value)),
  text_prompts: (value) => Array.isArray(value) && value.length > 0 && value.every(isTextPrompt),
}

/** Of v1 text-to-image. */
export function checkEngineBody(json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null) return 'body: must be an object'
  const body = json as Readonly<Record<string, unknown>>
  for (const [name, value] of Object.entries(body)) {
    const check = ENGINE_FIELDS[name]
    if (!check) return `${name}: is not allowed`
    if (!check(value)) return `${name}: has a value that is not allowed`
  }
  if (body.text_prompts === undefined) return 'text_prompts: cannot be blank'
  const size = `${body.width ?? 1024}x${body.height ?? 1024}`
  if (!SIZES.includes(size)) return `the allowed dimensions are ${SIZES.join(', ')}, but we received ${size}`
  return undefined
}

function isTextPrompt(value: unknown): boolean {
  const { text, weight, ...rest } = value as { text?: unknown; weight?: unknown }
  const isText = typeof text === 'string' && text.length > 0 && text.length <= 2000
  return isText && (weight === undefined || typeof weight === 'number') && Object.keys(rest).length === 0
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max
}
