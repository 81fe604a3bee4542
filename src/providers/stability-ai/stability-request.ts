import type { ProviderRequest, ReferenceImage } from '../provider.ts'
import { createUnsendable } from '../wire/call-failures.ts'
import { given } from '../wire/given.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { seedOfPart } from '../wire/part-seed.ts'
import { toFile } from '../wire/reference-image.ts'
import { VENDOR } from './stability-wire.ts'

/** Of v2beta; 0 is any seed. */
const MAX_SEED = 4_294_967_294
/** Goes with a reference image. A caller reads of it in the catalogue's schema of options. */
const DEFAULT_STRENGTH = 0.5
const MAX_REQUEST_BYTES = 10 * 1024 * 1024
/** Field names and boundaries of the form. */
const FORM_BYTES = 4096

/**
 * A model's `wire` says how it is called. `api` v1: an engine of its own name, one JSON body for all images. Otherwise
 * v2beta: the `endpoint`, with `model` where one endpoint has several; `imageMode` is its `mode` with a reference image,
 * whose shape the result then has.
 */
export function usesEngine({ wire }: ProviderRequest): boolean {
  return wire.api === 'v1'
}

export function pathOf(request: ProviderRequest): string {
  const { wire, modelName } = request
  if (usesEngine(request)) return `/v1/generation/${modelName}/text-to-image`
  return `/v2beta/stable-image/generate/${typeof wire.endpoint === 'string' ? wire.endpoint : modelName}`
}

/** Of v2beta, for one image: always a form, with no file too. */
export function buildForm(request: ProviderRequest, index: number): FormData {
  const { parameters, wire } = request
  const [reference] = request.referenceImages
  const form = new FormData()
  const add = (name: string, value: unknown) => {
    if (value !== null && value !== undefined) form.set(name, String(value))
  }
  add('prompt', request.prompt)
  add('negative_prompt', request.negativePrompt)
  add('model', wire.model)
  if (reference) {
    add('mode', wire.imageMode)
    form.set('image', toFile(reference, 'image'))
    add('strength', DEFAULT_STRENGTH)
  }
  if (!reference || !isShapedByReference(request)) add('aspect_ratio', parameters.aspectRatio)
  add('seed', seedOfPart(parameters.seed, index, MAX_SEED))
  add('cfg_scale', parameters.guidanceScale)
  add('style_preset', parameters.style)
  add('output_format', parameters.outputFormat?.toLowerCase())
  for (const [name, value] of Object.entries(parameters.providerOptions ?? {})) add(name, value)
  return form
}

/** Of v1, for all images. It makes PNG and cannot be asked for anything else. */
export function buildEngineBody(request: ProviderRequest): JsonRecord {
  const { parameters, negativePrompt } = request
  return {
    text_prompts: [
      { text: request.prompt },
      // A weight below zero is what a negative prompt is here.
      ...(negativePrompt === null ? [] : [{ text: negativePrompt, weight: -1 }]),
    ],
    samples: request.count,
    ...given('width', parameters.width),
    ...given('height', parameters.height),
    ...given('seed', parameters.seed),
    ...given('cfg_scale', parameters.guidanceScale),
    ...given('style_preset', parameters.style),
    ...parameters.providerOptions,
  }
}

/** Throws, before anything is sent, where the vendor would drop a setting or break off while the body is still sent. */
export function assertSendable(request: ProviderRequest): void {
  const { referenceImages, parameters, prompt, negativePrompt } = request
  const [reference] = referenceImages
  if (reference && isShapedByReference(request) && !hasShape(reference, parameters.aspectRatio)) {
    throw createUnsendable(`${VENDOR} makes it in the shape of the reference image. Leave \`aspectRatio\` out.`)
  }
  const texts = Buffer.byteLength(prompt) + Buffer.byteLength(negativePrompt ?? '')
  const pictures = referenceImages.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  if (FORM_BYTES + texts + pictures > MAX_REQUEST_BYTES) {
    throw createUnsendable(`${VENDOR} takes requests of up to 10 MiB. Make the reference image smaller.`)
  }
}

function isShapedByReference({ wire }: ProviderRequest): boolean {
  return wire.imageMode !== undefined
}

/** Within a hundredth: sides are whole pixels. */
function hasShape({ width, height }: ReferenceImage, aspectRatio: string | null): boolean {
  if (aspectRatio === null) return true
  const [across = 0, down = 0] = aspectRatio.split(':').map(Number)
  return Math.abs((width * down) / (height * across) - 1) < 0.01
}
