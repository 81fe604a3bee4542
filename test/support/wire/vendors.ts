import { createAutomatic1111Wire } from './automatic1111.ts'
import { createBytedanceWire } from './bytedance.ts'
import { createComfyuiWire } from './comfyui.ts'
import { createFalWire } from './fal.ts'
import { createFluxWire } from './flux.ts'
import { createGoogleWire } from './google.ts'
import { createIdeogramWire } from './ideogram.ts'
import { createOpenaiWire } from './openai.ts'
import { createOpenaiCompatibleWire } from './openai-compatible.ts'
import { createReplicateWire } from './replicate.ts'
import { createStabilityWire } from './stability-ai.ts'
import type { WireSetting, WireVendor } from './wire-server.ts'

/** A vendor that can be played on this machine, and how Pictor is pointed at it. */
export type PlayedVendor = {
  readonly name: string
  readonly create: (setting: WireSetting) => WireVendor
  /** Environment of a Pictor whose calls go to `origin`. */
  environment(origin: string, key: string): Readonly<Record<string, string>>
}

export const PLAYED_VENDORS = {
  openai: {
    name: 'OpenAI',
    create: createOpenaiWire,
    environment: (origin, key) => ({ OPENAI_BASE_URL: `${origin}/v1`, OPENAI_API_KEY: key }),
  },
  google: {
    name: 'Google',
    create: createGoogleWire,
    environment: (origin, key) => ({ GEMINI_BASE_URL: origin, GEMINI_API_KEY: key }),
  },
  'stability-ai': {
    name: 'Stability AI',
    create: createStabilityWire,
    environment: (origin, key) => ({ STABILITY_BASE_URL: origin, STABILITY_API_KEY: key }),
  },
  flux: {
    name: 'Black Forest Labs',
    create: createFluxWire,
    environment: (origin, key) => ({ BFL_BASE_URL: origin, BFL_API_KEY: key }),
  },
  ideogram: {
    name: 'Ideogram',
    create: createIdeogramWire,
    environment: (origin, key) => ({ IDEOGRAM_BASE_URL: origin, IDEOGRAM_API_KEY: key }),
  },
  bytedance: {
    name: 'BytePlus ModelArk',
    create: createBytedanceWire,
    environment: (origin, key) => ({ ARK_BASE_URL: `${origin}/api/v3`, ARK_API_KEY: key }),
  },
  fal: {
    name: 'fal',
    create: createFalWire,
    environment: (origin, key) => ({ FAL_BASE_URL: origin, FAL_KEY: key }),
  },
  replicate: {
    name: 'Replicate',
    create: createReplicateWire,
    environment: (origin, key) => ({ REPLICATE_BASE_URL: `${origin}/v1`, REPLICATE_API_TOKEN: key }),
  },
} as const satisfies Readonly<Record<string, PlayedVendor>>

/** Engines are named in a catalogue file and not by variables. `path` is what stands behind the address there. */
export type PlayedEngine = { readonly create: PlayedVendor['create']; readonly path: string }

export const PLAYED_ENGINES = {
  comfyui: { create: createComfyuiWire, path: '' },
  automatic1111: { create: createAutomatic1111Wire, path: '' },
  'openai-compatible': { create: createOpenaiCompatibleWire, path: '/v1' },
} as const satisfies Readonly<Record<string, PlayedEngine>>
