import { isObject } from './json-object.ts'
/** What POST /images/generations takes, model by model. undefined: nothing is wrong. */
export function findArkProblem(
  json: unknown,
  model: ArkModel,
): { readonly param: string; readonly text: string } | undefined {
  if (!isObject(json)) return { param: 'body', text: 'The request body is no JSON object.' }
  const checks: Readonly<Record<string, (value: unknown) => boolean>> = { ...COMMON, ...model.fields }
  for (const [param, value] of Object.entries(json)) {
    const isTaken = checks[param]
    if (!isTaken) return { param, text: `The parameter \`${param}\` is not supported by the model.` }
    if (!isTaken(value)) return { param, text: `The parameter \`${param}\` specified in the request is not valid.` }
  }
  if (json.prompt === undefined) return { param: 'prompt', text: 'The request is missing the parameter `prompt`.' }
  return undefined
}

export type ArkModel = {
  readonly fields: Readonly<Record<string, (value: unknown) => boolean>>
  readonly format: 'jpeg' | 'png'
}

const COMMON: ArkModel['fields'] = {
  model: () => true,
  prompt: (value) => typeof value === 'string' && value !== '',
  response_format: oneOf('url', 'b64_json'),
  watermark: (value) => typeof value === 'boolean',
}

/** Tiers, or `WxH` between so many pixels and of a shape from 1:16 to 16:1. */
function size(minPixels: number, maxPixels: number, ...tiers: readonly string[]) {
  return (value: unknown) => {
    if (tiers.includes(String(value))) return true
    const [, width = 0, height = 0] = (/^([1-9]\d*)x([1-9]\d*)$/.exec(String(value)) ?? []).map(Number)
    const [pixels, shape] = [width * height, width / height]
    return pixels >= minPixels && pixels <= maxPixels && shape >= 1 / 16 && shape <= 16
  }
}

/** One or several data URIs or links. */
function pictures(max: number) {
  return (value: unknown) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    const isOne = (each: unknown) =>
      /^(https?:\/\/|data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$)/.test(String(each))
    return list.length > 0 && list.length <= max && list.every(isOne)
  }
}

function oneOf(...values: readonly unknown[]) {
  return (value: unknown) => values.includes(value)
}

function within(min: number, max: number) {
  return (value: unknown) => typeof value === 'number' && value >= min && value <= max
}

function optimize(...modes: readonly string[]) {
  return (value: unknown) =>
    isObject(value) && Object.keys(value).join() === 'mode' && modes.includes(String(value.mode))
}

const FROM_4: ArkModel['fields'] = {
  image: pictures(14),
  stream: (value) => typeof value === 'boolean',
  sequential_image_generation: oneOf('disabled', 'auto'),
  sequential_image_generation_options: isObject,
  optimize_prompt_options: optimize('standard'),
}
const FROM_5 = { ...FROM_4, output_format: oneOf('png', 'jpeg') }

const LITE: ArkModel = { fields: { ...FROM_5, size: size(3_686_400, 9_437_184, '2K', '3K') }, format: 'jpeg' }
const PRO: ArkModel = {
  fields: { ...FROM_5, image: pictures(10), size: size(921_600, 4_624_220, '1K', '1.5K', '2K') },
  format: 'jpeg',
}

export const ARK_MODELS: Readonly<Record<string, ArkModel>> = {
  'seedream-3-0-t2i-250415': {
    fields: { size: size(512 * 512, 2048 * 2048), seed: within(-1, 2 ** 31 - 1), guidance_scale: within(1, 10) },
    format: 'jpeg',
  },
  'seedream-4-0-250828': {
    fields: {
      ...FROM_4,
      size: size(921_600, 16_777_216, '1K', '2K', '4K'),
      optimize_prompt_options: optimize('standard', 'fast'),
    },
    format: 'jpeg',
  },
  'seedream-4-5-251128': { fields: { ...FROM_4, size: size(3_686_400, 16_777_216, '2K', '4K') }, format: 'jpeg' },
  'seedream-5-0-260128': LITE,
  'seedream-5-0-lite-260128': LITE,
  'dola-seedream-5-0-pro-260628': PRO,
  'seedream-5-5-261028': PRO,
}
