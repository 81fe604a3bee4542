import type { ImageFormat } from '../model.ts'
import { ProviderError } from '../provider-error.ts'
import type { Look } from './painting/picture.ts'
import { createInvalidRequest } from './sandbox-failures.ts'

/** What the vendor side of the sandbox knows of its models. */
export type SandboxModel = {
  readonly look: Look
  readonly defaultWidth: number
  readonly defaultHeight: number
  readonly defaultFormat: ImageFormat
  readonly maxReferenceImages: number
}

const MODELS: Readonly<Record<string, SandboxModel>> = {
  painter: { look: 'painting', defaultWidth: 1024, defaultHeight: 1024, defaultFormat: 'PNG', maxReferenceImages: 4 },
  postcard: { look: 'postcard', defaultWidth: 768, defaultHeight: 512, defaultFormat: 'JPEG', maxReferenceImages: 0 },
  etching: { look: 'etching', defaultWidth: 1024, defaultHeight: 1024, defaultFormat: 'PNG', maxReferenceImages: 0 },
}

const RETIRED: ReadonlySet<string> = new Set(['daguerreotype'])

/** Throws ProviderError for a name that the sandbox does not serve. */
export function getSandboxModel(name: string): SandboxModel {
  if (RETIRED.has(name)) {
    const message = `The sandbox has retired the model "${name}". Use "painter".`
    throw new ProviderError({ kind: 'MODEL_RETIRED', delivery: 'NOT_SENT', message })
  }
  const model = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined
  if (model) return model
  throw createInvalidRequest(`The sandbox has no model "${name}". It has: ${Object.keys(MODELS).join(', ')}.`)
}
