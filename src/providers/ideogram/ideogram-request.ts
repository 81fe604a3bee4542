import type { ProviderRequest } from '../provider.ts'
import { createUnsendable } from '../wire/call-failures.ts'
import { given } from '../wire/given.ts'
import { type JsonRecord, readRecord } from '../wire/json-values.ts'
import { VENDOR } from './ideogram-failures.ts'

/** Without the key. */
export type IdeogramRequest = {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | FormData
}

/**
 * The three forms of the vendor's API. Which one a model is asked in stands in its `wire.api`: `generate` (2.0 and older)
 * and `v3` answer with the pictures, `generations` (4.x) with the id of a job.
 */
export type IdeogramApi = 'generate' | 'v3' | 'generations'

export function apiOf({ wire, modelName }: ProviderRequest): IdeogramApi {
  const { api } = wire
  if (api === 'generate' || api === 'v3' || api === 'generations') return api
  throw createUnsendable(`The catalogue does not say in which form of its API ${VENDOR} is asked for ${modelName}.`)
}

export function buildRequest(request: ProviderRequest): IdeogramRequest {
  const api = apiOf(request)
  if (api === 'v3') return { path: '/v1/ideogram-v3/generate', headers: {}, body: toForm(v3Fields(request)) }
  if (api === 'generate') return asJson('/generate', { image_request: legacyFields(request) })
  return asJson(`/v2/image/generate/${encodeURIComponent(request.modelName)}`, generationFields(request))
}

function legacyFields(request: ProviderRequest): JsonRecord {
  const { parameters } = request
  const { width, height, aspectRatio } = parameters
  return {
    prompt: request.prompt,
    model: request.modelName,
    ...(width !== null && height !== null
      ? { resolution: `RESOLUTION_${width}_${height}` }
      : given('aspect_ratio', aspectRatio && `ASPECT_${aspectRatio.replace(':', '_')}`)),
    ...given('magic_prompt_option', switchOf(parameters.enhancePrompt)),
    ...given('seed', parameters.seed),
    ...given('style_type', parameters.style),
    ...given('negative_prompt', request.negativePrompt),
    num_images: request.count,
    ...parameters.providerOptions,
  }
}

function v3Fields(request: ProviderRequest): JsonRecord {
  const { parameters } = request
  const { width, height, aspectRatio } = parameters
  return {
    prompt: request.prompt,
    ...(width !== null && height !== null
      ? { resolution: `${width}x${height}` }
      : given('aspect_ratio', aspectRatio?.replace(':', 'x') ?? null)),
    ...given('rendering_speed', parameters.quality),
    ...given('magic_prompt', switchOf(parameters.enhancePrompt)),
    ...given('negative_prompt', request.negativePrompt),
    ...given('seed', parameters.seed),
    ...given('style_type', parameters.style),
    num_images: request.count,
    ...parameters.providerOptions,
  }
}

/**
 * One picture a job. Of the fields of this form only `async` is stated in what was read, so which field takes what is
 * data: `wire.fields` names the vendor's field for each of ours, whose value it gets as it is. That the prompt's is called
 * `prompt`, as in the older forms and in the results of this one, and that the body is JSON, is unverified.
 */
function generationFields({ prompt, negativePrompt, parameters, wire }: ProviderRequest): JsonRecord {
  const { aspectRatio, quality, style, seed } = parameters
  const ours: JsonRecord = { prompt, negativePrompt, aspectRatio, quality, style, seed }
  const named = Object.entries({ prompt: 'prompt', ...readRecord(wire.fields) }).flatMap(([own, name]) =>
    typeof name === 'string' ? Object.entries(given(name, ours[own] ?? null)) : [],
  )
  return { ...Object.fromEntries(named), async: true, ...parameters.providerOptions }
}

function switchOf(isOn: boolean | null): 'ON' | 'OFF' | null {
  return isOn === null ? null : isOn ? 'ON' : 'OFF'
}

function asJson(path: string, body: JsonRecord): IdeogramRequest {
  return { path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Lists as a field for each of their items, objects as JSON: how the vendor wants either is unverified. */
function toForm(fields: JsonRecord): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      form.append(name, typeof item === 'object' ? JSON.stringify(item) : String(item))
    }
  }
  return form
}
