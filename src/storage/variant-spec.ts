import { type FieldProblem, InvalidInputError } from '../errors.ts'
import {
  type ImageExtension,
  type ImageFormat,
  imageTypeOf,
  imageTypeOfExtension,
  imageTypeOfMimeType,
} from './image-formats.ts'

export const IMAGE_FITS = ['INSIDE', 'COVER', 'CONTAIN'] as const
export type ImageFit = (typeof IMAGE_FITS)[number]

/** What a client may ask for. null or left out: as the stored image has it. */
export type VariantRequest = {
  /** Pixels, 1 to 4096. */
  readonly width?: number | null
  readonly height?: number | null
  readonly fit?: ImageFit | null
  readonly format?: ImageFormat | null
  /** 1 to 100, for JPEG and WebP. */
  readonly quality?: number | null
}

/** Resolved to one form: requests that mean the same picture are equal, and so share a cache entry and a URL. */
export type VariantSpec = {
  readonly width: number | null
  readonly height: number | null
  /** INSIDE wherever one side or none is given: there is nothing to cover. */
  readonly fit: ImageFit
  readonly format: ImageFormat
  /** null for PNG, which loses nothing. */
  readonly quality: number | null
}

const MAX_SIDE = 4096
const DEFAULT_QUALITY = 80

/** The variant of a stored image; undefined: the image itself is what was asked for. Throws InvalidInputError. */
export function resolveVariant(request: VariantRequest, storedMimeType: string): VariantSpec | undefined {
  const { width = null, height = null, quality = null } = request
  const stored = imageTypeOfMimeType(storedMimeType).format
  const format = request.format ?? stored
  const problems = [
    ...boundProblem('width', width, MAX_SIDE),
    ...boundProblem('height', height, MAX_SIDE),
    ...boundProblem('quality', quality, 100),
  ]
  if (quality !== null && format === 'PNG') {
    problems.push({ path: 'quality', message: 'PNG has no quality: ask for JPEG or WEBP too.', allowed: [] })
  }
  if (problems.length > 0) throw new InvalidInputError(problems)
  if (width === null && height === null && quality === null && format === stored) return undefined
  return {
    width,
    height,
    fit: width !== null && height !== null ? (request.fit ?? 'INSIDE') : 'INSIDE',
    format,
    quality: format === 'PNG' ? null : (quality ?? DEFAULT_QUALITY),
  }
}

/** `w400-h300-cover-q80`: good in URLs and blob keys. The format is the extension. */
export function formatVariant(spec: VariantSpec): string {
  const parts = [
    spec.width === null ? '' : `w${spec.width}`,
    spec.height === null ? '' : `h${spec.height}`,
    spec.fit.toLowerCase(),
    spec.quality === null ? '' : `q${spec.quality}`,
  ]
  return parts.filter((part) => part !== '').join('-')
}

export function variantExtension(spec: VariantSpec): ImageExtension {
  return imageTypeOf(spec.format).extension
}

const TEXT_FORM =
  /^(?:w(?<width>\d{1,4})-)?(?:h(?<height>\d{1,4})-)?(?<fit>inside|cover|contain)(?:-q(?<quality>\d{1,3}))?$/

/** Reads what `formatVariant` wrote and nothing else. */
export function parseVariant(text: string, extension: ImageExtension): VariantSpec | undefined {
  const groups = TEXT_FORM.exec(text)?.groups
  if (!groups) return undefined
  const numberOf = (digits: string | undefined) => (digits === undefined ? null : Number(digits))
  const fit = IMAGE_FITS.find((known) => known.toLowerCase() === groups.fit)
  const spec = {
    width: numberOf(groups.width),
    height: numberOf(groups.height),
    fit: fit ?? 'INSIDE',
    format: imageTypeOfExtension(extension).format,
    quality: numberOf(groups.quality),
  }
  return formatVariant(spec) === text ? spec : undefined
}

function boundProblem(path: string, value: number | null, max: number): FieldProblem[] {
  if (value === null || (Number.isInteger(value) && value >= 1 && value <= max)) return []
  return [{ path, message: `Must be a whole number from 1 to ${max}.`, allowed: [] }]
}
