import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Ids } from '../ids.ts'
import { createOutboundFetch } from '../outbound/outbound-fetch.ts'
import { createBytedanceProvider } from '../providers/bytedance/bytedance-provider.ts'
import { createFalProvider } from '../providers/fal/fal-provider.ts'
import { createFluxProvider } from '../providers/flux/flux-provider.ts'
import { createGoogleProvider } from '../providers/google/google-provider.ts'
import { createIdeogramProvider } from '../providers/ideogram/ideogram-provider.ts'
import { createOpenaiProvider } from '../providers/openai/openai-provider.ts'
import type { ImageProvider } from '../providers/provider.ts'
import { createReplicateProvider } from '../providers/replicate/replicate-provider.ts'
import { createSandboxProvider } from '../providers/sandbox/sandbox-provider.ts'
import { createStabilityProvider } from '../providers/stability-ai/stability-provider.ts'
import { createVendorFetch } from '../providers/wire/vendor-fetch.ts'

type Tools = { readonly clock: Clock; readonly ids: Ids }

/** Every vendor that this server speaks to, one line each; one without a key is listed and not usable. */
export function createProviders({ vendors }: Pick<Config, 'vendors'>, tools: Tools): readonly ImageProvider[] {
  const at = connect(tools)
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

function connect({ clock, ids }: Tools) {
  const fetch = createVendorFetch()
  return <Place extends { readonly baseUrl: string }>(place: Place) => ({
    clock,
    ids,
    fetch,
    // Where an operator has put a vendor on an address of its own, its pictures lie there too.
    fetchOutbound: createOutboundFetch({ clock, trustedBaseUrl: place.baseUrl }),
    ...place,
  })
}
