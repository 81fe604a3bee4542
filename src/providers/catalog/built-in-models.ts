import type { Model } from '../model.ts'
import { BYTEDANCE_MODELS } from './bytedance.ts'
import { FAL_MODELS } from './fal.ts'
import { FLUX_MODELS } from './flux.ts'
import { GOOGLE_MODELS } from './google.ts'
import { IDEOGRAM_MODELS } from './ideogram.ts'
import { OPENAI_MODELS } from './openai.ts'
import { REPLICATE_MODELS } from './replicate.ts'
import { SANDBOX_MODELS } from './sandbox.ts'
import { STABILITY_MODELS } from './stability-ai.ts'

/** Every model that this server knows without a catalogue file, provider by provider. */
export const BUILT_IN_MODELS: readonly Model[] = [
  ...SANDBOX_MODELS,
  ...OPENAI_MODELS,
  ...GOOGLE_MODELS,
  ...STABILITY_MODELS,
  ...FLUX_MODELS,
  ...IDEOGRAM_MODELS,
  ...BYTEDANCE_MODELS,
  ...FAL_MODELS,
  ...REPLICATE_MODELS,
]
