import type { GenerationParameters } from '../model.ts'
import type { ProviderRequest } from '../provider.ts'
import { type Directives, readDirectives } from './directives.ts'
import { STYLES, type Style } from './painting/lexicon.ts'
import type { PictureOrder } from './painting/picture.ts'
import type { References } from './painting/references.ts'
import { createInvalidRequest } from './sandbox-failures.ts'
import { getSandboxModel, type SandboxModel } from './sandbox-models.ts'

/** A request as the sandbox takes it: what to paint, and what to do besides. */
export type SandboxOrder = {
  readonly directives: Directives
  readonly count: number
  readonly previews: number
  /** The picture of a seed. */
  picture(seed: number): PictureOrder
}

type Quality = { readonly detail: number; readonly maxPaintedPixels: number }

const QUALITIES: Readonly<Record<string, Quality>> = {
  draft: { detail: 0.6, maxPaintedPixels: 260_000 },
  standard: { detail: 1, maxPaintedPixels: 650_000 },
  fine: { detail: 1.5, maxPaintedPixels: 2_200_000 },
}
const STANDARD: Quality = { detail: 1, maxPaintedPixels: 650_000 }

const MAX_SIDE = 8192

/** Throws ProviderError (`NOT_SENT`) for directives, models and settings that the sandbox does not have. */
export function readOrder(request: ProviderRequest, attemptNumber: number): SandboxOrder {
  const { parameters, count } = request
  const { prompt, directives } = readDirectives(request.prompt, count, attemptNumber)
  const model = getSandboxModel(request.modelName)
  const { detail, maxPaintedPixels } = readQuality(parameters.quality)
  const style = readStyle(parameters.style)
  const size = readSize(parameters, model)
  const format = parameters.outputFormat ?? model.defaultFormat
  const transparent = parameters.background === 'TRANSPARENT'
  if (transparent && format === 'JPEG') {
    throw createInvalidRequest('A JPEG cannot be transparent. Ask for PNG or WEBP, or for an opaque background.')
  }
  const references = readReferences(request, model)
  const { negativePrompt } = request
  const { guidanceScale, outputCompression } = parameters
  return {
    directives,
    count,
    previews: request.previews,
    picture: (seed) => ({
      subject: { prompt, negativePrompt, seed, style, detail, guidanceScale, transparent },
      look: model.look,
      ...size,
      maxPaintedPixels,
      format,
      encodingQuality: outputCompression === null ? null : Math.max(1, outputCompression),
      references,
    }),
  }
}

function readQuality(name: string | null): Quality {
  if (name === null) return STANDARD
  const quality = Object.hasOwn(QUALITIES, name) ? QUALITIES[name] : undefined
  if (quality) return quality
  throw createInvalidRequest(`The sandbox has no quality "${name}". It has: ${Object.keys(QUALITIES).join(', ')}.`)
}

function readStyle(name: string | null): Style | null {
  if (name === null) return null
  const style = STYLES.find((each) => each === name)
  if (style) return style
  throw createInvalidRequest(`The sandbox has no style "${name}". It has: ${STYLES.join(', ')}.`)
}

function readReferences({ referenceImages, mask }: ProviderRequest, model: SandboxModel): References {
  const { maxReferenceImages: max } = model
  if (referenceImages.length > max) {
    const taken = max === 0 ? 'none' : `at most ${max}`
    throw createInvalidRequest(`This model takes ${taken} of reference images; there are ${referenceImages.length}.`)
  }
  if (mask && referenceImages.length === 0) throw createInvalidRequest('A mask needs a reference image to lie over.')
  return { pictures: referenceImages.map(({ bytes }) => bytes), mask: mask?.bytes ?? null }
}

function readSize(parameters: GenerationParameters, model: SandboxModel): { width: number; height: number } {
  const { width, height, aspectRatio } = parameters
  const size = width !== null && height !== null ? { width, height } : shapeSize(aspectRatio, model)
  const isWhole = Number.isInteger(size.width) && Number.isInteger(size.height)
  if (isWhole && Math.min(size.width, size.height) >= 1 && Math.max(size.width, size.height) <= MAX_SIDE) return size
  throw createInvalidRequest(
    `The sandbox cannot paint ${size.width}x${size.height}: sides are 1 to ${MAX_SIDE} pixels.`,
  )
}

/** The model's usual number of pixels in the shape that is asked for, in steps of eight. */
function shapeSize(aspectRatio: string | null, model: SandboxModel): { width: number; height: number } {
  const { defaultWidth, defaultHeight } = model
  if (aspectRatio === null) return { width: defaultWidth, height: defaultHeight }
  const [across = Number.NaN, down = Number.NaN] = aspectRatio.split(':').map(Number)
  const width = Math.sqrt((defaultWidth * defaultHeight * across) / down)
  return { width: Math.round(width / 8) * 8, height: Math.round((width * down) / across / 8) * 8 }
}
