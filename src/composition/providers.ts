import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Ids } from '../ids.ts'
import { createOutboundFetch } from '../outbound/outbound-fetch.ts'
import { createFluxProvider } from '../providers/flux/flux-provider.ts'
import { createIdeogramProvider } from '../providers/ideogram/ideogram-provider.ts'
import type { ImageProvider } from '../providers/provider.ts'
import { createSandboxProvider } from '../providers/sandbox/sandbox-provider.ts'
import { createVendorFetch } from '../providers/wire/vendor-fetch.ts'

/** Every vendor that this server speaks to, one line each; one without a key is listed and not usable. */
export function createProviders(
  { vendors }: Pick<Config, 'vendors'>,
  { clock, ids }: { clock: Clock; ids: Ids },
): readonly ImageProvider[] {
  const fetch = createVendorFetch()
  const at = <Vendor extends { readonly baseUrl: string }>(vendor: Vendor) => ({
    clock,
    ids,
    fetch,
    // Where an operator has put a vendor on an address of its own, its pictures lie there too.
    fetchOutbound: createOutboundFetch({ clock, trustedBaseUrl: vendor.baseUrl }),
    ...vendor,
  })
  return [
    createSandboxProvider({ clock, ids }),
    createFluxProvider(at(vendors.bfl)),
    createIdeogramProvider(at(vendors.ideogram)),
  ]
}
