import { isObject } from './json-object.ts'
/** What generateContent takes, field by field, for the image models. undefined: nothing is wrong. */
export function findGoogleProblem(json: unknown, model: GoogleModel): string | undefined {
  if (!isObject(json)) return 'Invalid JSON payload received.'
  const unknown = findUnknown(json, ['contents', 'generationConfig', 'safetySettings'])
  if (unknown) return cannotFind(unknown, 'request')
  return (
    findProblemOfContents(json.contents) ??
    findProblemOfConfig(json.generationConfig, model) ??
    findProblemOfSafety(json.safetySettings)
  )
}

export type GoogleModel = {
  readonly ratios: readonly string[]
  /** Empty: `imageSize` is no field of it. */
  readonly tiers: readonly string[]
  readonly mimeType: 'image/png' | 'image/jpeg'
  /** Tokens of a picture by tier; '' where there is none. */
  readonly tokens: Readonly<Record<string, number>>
}

const RATIOS = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']
const MORE_RATIOS = [...RATIOS, '1:4', '4:1', '1:8', '8:1']

export const GOOGLE_WIRE_MODELS: Readonly<Record<string, GoogleModel>> = {
  'gemini-2.5-flash-image': {
    ratios: RATIOS,
    tiers: [],
    mimeType: 'image/png',
    tokens: { '': 1290 },
  },
  'gemini-3-pro-image': {
    ratios: RATIOS,
    tiers: ['1K', '2K', '4K'],
    mimeType: 'image/png',
    tokens: { '1K': 1120, '2K': 1120, '4K': 2000 },
  },
  'gemini-3.1-flash-image': {
    ratios: MORE_RATIOS,
    tiers: ['512', '1K', '2K', '4K'],
    mimeType: 'image/jpeg',
    tokens: { '512': 747, '1K': 1120, '2K': 1680, '4K': 2520 },
  },
  'gemini-3.1-flash-lite-image': {
    ratios: MORE_RATIOS,
    tiers: ['1K'],
    mimeType: 'image/jpeg',
    tokens: { '1K': 1120 },
  },
  'gemini-nano-banana-2.1': {
    ratios: MORE_RATIOS,
    tiers: ['1K', '2K', '4K'],
    mimeType: 'image/jpeg',
    tokens: { '1K': 1120, '2K': 1680, '4K': 2520 },
  },
}

type Json = Readonly<Record<string, unknown>>

function findProblemOfContents(contents: unknown): string | undefined {
  const [content, ...others] = Array.isArray(contents) ? contents : []
  if (!isObject(content) || others.length > 0) return '* GenerateContentRequest.contents: contents is not specified'
  if (content.role !== 'user') return 'Please use a valid role: user, model.'
  const parts: readonly unknown[] = Array.isArray(content.parts) ? content.parts : []
  if (!parts.some((part) => isObject(part) && typeof part.text === 'string' && part.text !== ''))
    return '* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.'
  const pictures = parts.filter((part) => isObject(part) && part.inlineData !== undefined)
  for (const part of parts) {
    if (!isObject(part)) return 'Invalid value at contents[0].parts'
    const unknown = findUnknown(part, ['text', 'inlineData'])
    if (unknown) return cannotFind(unknown, 'contents[0].parts[0]')
    if (part.inlineData !== undefined && !isPicture(part.inlineData)) return 'Unable to process input image.'
  }
  return pictures.length > 14 ? 'Too many images in the request.' : undefined
}

function isPicture(data: unknown): boolean {
  return (
    isObject(data) &&
    ['image/png', 'image/jpeg', 'image/webp'].includes(String(data.mimeType)) &&
    typeof data.data === 'string' &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(data.data)
  )
}

function findProblemOfConfig(config: unknown, model: GoogleModel): string | undefined {
  if (!isObject(config)) return 'Invalid value at generation_config'
  const unknown = findUnknown(config, ['responseModalities', 'imageConfig', 'seed', 'temperature', 'candidateCount'])
  if (unknown) return cannotFind(unknown, 'generation_config')
  const { responseModalities: modalities, seed, temperature, candidateCount, imageConfig = {} } = config
  if (!Array.isArray(modalities) || !modalities.includes('IMAGE')) return 'The model is to answer with an image.'
  if (modalities.some((each) => !['TEXT', 'IMAGE'].includes(each))) return 'Invalid value at response_modalities'
  if (candidateCount !== undefined && candidateCount !== 1) return 'Multiple candidates is not enabled for this model'
  if (seed !== undefined && !(Number.isInteger(seed) && Math.abs(Number(seed)) < 2 ** 31))
    return 'Invalid value at generation_config.seed (TYPE_INT32)'
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 2))
    return 'temperature must be in the range [0.0, 2.0].'
  return findProblemOfImage(imageConfig, model)
}

function findProblemOfImage(imageConfig: unknown, { ratios, tiers }: GoogleModel): string | undefined {
  if (!isObject(imageConfig)) return 'Invalid value at generation_config.image_config'
  const unknown = findUnknown(imageConfig, ['aspectRatio', 'imageSize'])
  if (unknown) return cannotFind(unknown, 'generation_config.image_config')
  const { aspectRatio, imageSize } = imageConfig
  if (aspectRatio !== undefined && !ratios.includes(String(aspectRatio)))
    return 'aspect_ratio must be one of the supported aspect ratios.'
  // `1k` is none of them: the K is a capital.
  if (imageSize !== undefined && !tiers.includes(String(imageSize)))
    return 'image_size is not supported by this model, or not one of 512, 1K, 2K, 4K.'
  return undefined
}

function findProblemOfSafety(settings: unknown): string | undefined {
  if (settings === undefined) return undefined
  if (!Array.isArray(settings)) return 'Invalid value at safety_settings'
  const isSound = settings.every(
    (each) =>
      isObject(each) &&
      /^HARM_CATEGORY_(HARASSMENT|HATE_SPEECH|SEXUALLY_EXPLICIT|DANGEROUS_CONTENT|CIVIC_INTEGRITY)$/.test(
        String(each.category),
      ) &&
      /^(BLOCK_(LOW_AND_ABOVE|MEDIUM_AND_ABOVE|ONLY_HIGH|NONE)|OFF)$/.test(String(each.threshold)) &&
      findUnknown(each, ['category', 'threshold']) === undefined,
  )
  return isSound ? undefined : 'Invalid value at safety_settings[0]'
}

function findUnknown(json: Json, known: readonly string[]): string | undefined {
  return Object.keys(json).find((key) => !known.includes(key))
}

function cannotFind(field: string, where: string): string {
  return `Invalid JSON payload received. Unknown name "${field}" at '${where}': Cannot find field.`
}
