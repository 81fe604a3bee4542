import type { Model } from '../model.ts'
import { SANDBOX_MODELS } from './sandbox.ts'

/** Every model that this server knows without a catalogue file, provider by provider. */
export const BUILT_IN_MODELS: readonly Model[] = [...SANDBOX_MODELS]
