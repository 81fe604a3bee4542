import type { ProviderRequest } from '../provider.ts'
import { given } from '../wire/given.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { toFile } from '../wire/reference-image.ts'
import { sizeTextOf } from '../wire/size-text.ts'
import { WireFault } from '../wire/wire-fault.ts'
import { type CompatibleEntry, type FieldName, GUIDANCE_FIELDS } from './openai-compatible-entry.ts'

/** Throws WireFault where something is asked for that the server cannot be told, which would be lost in silence. */
export function assertFits(entry: CompatibleEntry, request: ProviderRequest): void {
  const { fields, edits, hasPipe, hasExtraArgs } = entry
  const { parameters, prompt, referenceImages, mask } = request
  const homeless = HOMES.find(
    ({ of, names, value }) =>
      value(request) !== null && !names.some((name) => fields.has(name)) && !isImplied(of, entry, request),
  )
  if (homeless) throw new WireFault(`The server takes no \`${homeless.of}\` (wire.fields).`)
  if (parameters.enhancePrompt !== null || parameters.watermark !== null) {
    throw new WireFault('The server takes neither `enhancePrompt` nor `watermark`.')
  }
  if (hasPipe && prompt.includes('|')) throw new WireFault('Behind a "|" the server would read the negative prompt.')
  const shown = hasPipe ? `${prompt}${request.negativePrompt ?? ''}` : prompt
  if (hasExtraArgs && shown.includes(TAG)) throw new WireFault('A prompt must not hold settings of the server.')
  if (referenceImages.length > 0 && edits === null) throw new WireFault('It takes no reference images (wire.edits).')
  if (mask !== null && referenceImages.length === 0) throw new WireFault('A mask needs the picture that it is for.')
}

/** Of `/images/generations`. */
export function buildBody(entry: CompatibleEntry, request: ProviderRequest): JsonRecord {
  const isInside = (name: string) => entry.hasExtraArgs && !OUTSIDE.has(name)
  const fields = Object.entries({ ...fieldsOf(entry, request), ...request.parameters.providerOptions })
  return {
    model: request.modelName,
    prompt: promptOf(entry, request, Object.fromEntries(fields.filter(([name]) => isInside(name)))),
    n: request.count,
    ...given('size', sizeTextOf(request.parameters)),
    ...Object.fromEntries(fields.filter(([name]) => !isInside(name))),
  }
}

/** Of `/images/edits`: the same fields, and files. */
export function buildForm(entry: CompatibleEntry, request: ProviderRequest): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(buildBody(entry, request))) {
    form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  for (const [index, image] of request.referenceImages.entries()) {
    form.append(entry.edits ?? 'image[]', toFile(image, `image-${index + 1}`))
  }
  if (request.mask) form.append('mask', toFile(request.mask, 'mask'))
  return form
}

type Home = {
  readonly of: string
  /** Fields that may hold it. */
  readonly names: readonly FieldName[]
  value(request: ProviderRequest): unknown
}

const HOMES: readonly Home[] = [
  { of: 'negativePrompt', names: ['negative_prompt'], value: ({ negativePrompt }) => negativePrompt },
  { of: 'seed', names: ['seed'], value: ({ parameters }) => parameters.seed },
  { of: 'guidanceScale', names: GUIDANCE_FIELDS, value: ({ parameters }) => parameters.guidanceScale },
  { of: 'quality', names: ['quality'], value: ({ parameters }) => parameters.quality },
  { of: 'style', names: ['style'], value: ({ parameters }) => parameters.style },
  { of: 'background', names: ['background'], value: ({ parameters }) => parameters.background?.toLowerCase() ?? null },
  { of: 'aspectRatio', names: ['aspect_ratio'], value: ({ parameters }) => parameters.aspectRatio },
  {
    of: 'outputFormat',
    names: ['output_format'],
    value: ({ parameters }) => parameters.outputFormat?.toLowerCase() ?? null,
  },
  { of: 'outputCompression', names: ['output_compression'], value: ({ parameters }) => parameters.outputCompression },
]

/** What stable-diffusion.cpp takes beside the prompt; everything else goes into it. */
const OUTSIDE: ReadonlySet<string> = new Set<FieldName>(['output_format', 'output_compression', 'response_format'])
const TAG = 'sd_cpp_extra_args>'

function fieldsOf({ fields }: CompatibleEntry, request: ProviderRequest): JsonRecord {
  const told = HOMES.flatMap(({ names, value }) =>
    names.filter((name) => fields.has(name)).map((name) => [name, value(request)] as const),
  )
  const format = fields.has('response_format') ? { response_format: 'b64_json' } : {}
  return { ...Object.fromEntries(told.filter(([, value]) => value !== null)), ...format }
}

/** A negative prompt behind a pipe, a ratio that the size says already, and the format that all of them make. */
function isImplied(of: string, { hasPipe }: CompatibleEntry, request: ProviderRequest): boolean {
  if (of === 'negativePrompt') return hasPipe
  if (of === 'outputFormat') return request.parameters.outputFormat === 'PNG'
  return of === 'aspectRatio' && sizeTextOf(request.parameters) !== null
}

function promptOf({ hasPipe }: CompatibleEntry, { prompt, negativePrompt }: ProviderRequest, args: JsonRecord): string {
  const whole = hasPipe && negativePrompt !== null ? `${prompt}|${negativePrompt}` : prompt
  if (Object.keys(args).length === 0) return whole
  // A text among them must not end them and begin others; within JSON this is the same text.
  return `${whole}<${TAG}${JSON.stringify(args).replaceAll('<', '\\u003c')}</${TAG}`
}
