import type { Model } from '../model.ts'
import { FLUX_MODELS } from './flux.ts'
import { IDEOGRAM_MODELS } from './ideogram.ts'
import { OPENAI_MODELS } from './openai.ts'
import { SANDBOX_MODELS } from './sandbox.ts'

/** Every model that this server knows without a catalogue file, provider by provider. */
export const BUILT_IN_MODELS: readonly Model[] = [
  ...SANDBOX_MODELS,
  ...OPENAI_MODELS,
  ...FLUX_MODELS,
  ...IDEOGRAM_MODELS,
]
