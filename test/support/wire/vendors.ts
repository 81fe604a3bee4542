import { createFluxWire } from './flux.ts'
import { createIdeogramWire } from './ideogram.ts'
import { createOpenaiWire } from './openai.ts'
import type { WireSetting, WireVendor } from './wire-server.ts'

/** A vendor that can be played on this machine, and how Pictor is pointed at it. */
export type PlayedVendor = {
  readonly name: string
  readonly create: (setting: WireSetting) => WireVendor
  /** Environment of a Pictor whose calls go to `origin`. */
  environment(origin: string, key: string): Readonly<Record<string, string>>
}

export const PLAYED_VENDORS: Readonly<Record<string, PlayedVendor>> = {
  openai: {
    name: 'OpenAI',
    create: createOpenaiWire,
    environment: (origin, key) => ({ OPENAI_BASE_URL: `${origin}/v1`, OPENAI_API_KEY: key }),
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
}
