import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Ids } from '../ids.ts'
import { createOutboundFetch } from '../outbound/outbound-fetch.ts'
import type { OwnAddresses } from '../outbound/own-addresses.ts'
import { findAutomatic1111Fault } from '../providers/automatic1111/automatic1111-entry.ts'
import { createAutomatic1111Provider } from '../providers/automatic1111/automatic1111-provider.ts'
import { createBytedanceProvider } from '../providers/bytedance/bytedance-provider.ts'
import type { EngineKind } from '../providers/catalog/catalog-schema.ts'
import type { Engine } from '../providers/catalog/engines.ts'
import { createComfyuiProvider } from '../providers/comfyui/comfyui-provider.ts'
import { findComfyuiFault } from '../providers/comfyui/comfyui-template.ts'
import { createFalProvider } from '../providers/fal/fal-provider.ts'
import { createFluxProvider } from '../providers/flux/flux-provider.ts'
import { createGoogleProvider } from '../providers/google/google-provider.ts'
import { createIdeogramProvider } from '../providers/ideogram/ideogram-provider.ts'
import type { Model } from '../providers/model.ts'
import { createOpenaiProvider } from '../providers/openai/openai-provider.ts'
import { findCompatibleFault } from '../providers/openai-compatible/openai-compatible-entry.ts'
import { createOpenaiCompatibleProvider } from '../providers/openai-compatible/openai-compatible-provider.ts'
import type { ImageProvider } from '../providers/provider.ts'
import { createReplicateProvider } from '../providers/replicate/replicate-provider.ts'
import { createSandboxProvider } from '../providers/sandbox/sandbox-provider.ts'
import { createStabilityProvider } from '../providers/stability-ai/stability-provider.ts'
import { ENGINE_ANSWER_MS } from '../providers/wire/engine-http.ts'
import { createVendorFetch, type VendorFetch } from '../providers/wire/vendor-fetch.ts'
import type { Secret } from '../secret.ts'

type Tools = { readonly clock: Clock; readonly ids: Ids; readonly ownAddresses?: OwnAddresses }

/** Every vendor that this server speaks to, one line each; one without a key is listed and not usable. */
export function createProviders({ vendors }: Pick<Config, 'vendors'>, tools: Tools): readonly ImageProvider[] {
  const at = connect(tools, createVendorFetch())
  return [
    createSandboxProvider(tools),
    createOpenaiProvider(at(vendors.openai)),
    createGoogleProvider(at(vendors.google)),
    createStabilityProvider(at(vendors.stability)),
    createFluxProvider(at(vendors.bfl)),
    createIdeogramProvider(at(vendors.ideogram)),
    createBytedanceProvider(at(vendors.ark)),
    createFalProvider(at(vendors.fal)),
    createReplicateProvider(at(vendors.replicate)),
  ]
}

/** Of vendors and engines. */
export function listServerKeys({ vendors, engineKeys }: Pick<Config, 'vendors' | 'engineKeys'>): readonly Secret[] {
  const ofVendors = Object.values(vendors).map(({ apiKey }) => apiKey)
  return [...ofVendors, ...engineKeys.values()].filter((key) => key !== null)
}

/** By provider id: the variable that its key is read from. */
export const KEY_VARIABLES: Readonly<Record<string, string>> = {
  openai: 'OPENAI_API_KEY',
  google: 'GEMINI_API_KEY',
  'stability-ai': 'STABILITY_API_KEY',
  flux: 'BFL_API_KEY',
  ideogram: 'IDEOGRAM_API_KEY',
  bytedance: 'ARK_API_KEY',
  fal: 'FAL_KEY',
  replicate: 'REPLICATE_API_TOKEN',
}

/** A program on the operator's own hardware. A key is optional: most of them ask for none. */
export function createEngine(engine: Engine, { engineKeys }: Pick<Config, 'engineKeys'>, tools: Tools): ImageProvider {
  // Hardware of one's own may take longer than any vendor.
  const fetch = createVendorFetch({ headersMs: ENGINE_ANSWER_MS })
  const place = connect(tools, fetch)({ ...engine, apiKey: engineKeys.get(engine.id) ?? null })
  switch (engine.kind) {
    case 'openai-compatible':
      return createOpenaiCompatibleProvider(place)
    case 'comfyui':
      return createComfyuiProvider(place)
    case 'automatic1111':
      return createAutomatic1111Provider(place)
  }
}

/** What is wrong with the `wire` of a model of this kind of engine, with its key; null: nothing. */
export const ENGINE_FAULTS: Readonly<Record<EngineKind, (wire: Model['wire']) => string | null>> = {
  'openai-compatible': findCompatibleFault,
  comfyui: findComfyuiFault,
  automatic1111: findAutomatic1111Fault,
}

function connect({ clock, ids, ownAddresses = () => [] }: Tools, fetch: VendorFetch) {
  return <Place extends { readonly baseUrl: string }>(place: Place) => ({
    clock,
    ids,
    fetch,
    // Where an operator has put a vendor on an address of its own, its pictures lie there too.
    fetchOutbound: createOutboundFetch({ clock, trustedBaseUrl: place.baseUrl, own: ownAddresses }),
    ...place,
  })
}
