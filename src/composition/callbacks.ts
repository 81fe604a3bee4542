import { type Config, ConfigError } from '../config.ts'
import { isPublicAddress, literalAddress } from '../outbound/public-address.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'

export type CallbackPlan = { readonly publicUrl: string; readonly providers: ReadonlySet<string> }

/** Which vendors are told to call back, and where. null: none. Throws ConfigError. */
export function planCallbacks(
  { callbacks, publicUrl }: Pick<Config, 'callbacks' | 'publicUrl'>,
  registry: ProviderRegistry,
): CallbackPlan | null {
  const able = registry.list().filter((provider) => provider.callbacks)
  if (callbacks === 'auto') {
    if (publicUrl === null || !isForStrangers(publicUrl)) return null
    return { publicUrl, providers: new Set(able.filter((each) => each.callbacks?.certain).map(({ id }) => id)) }
  }
  const known = able.map(({ id }) => id)
  const stranger = callbacks.find((id) => !known.includes(id))
  if (stranger !== undefined) {
    throw new ConfigError([
      `PICTOR_CALLBACKS names \`${stranger}\`, which cannot call back. Those that can: ${known.join(', ')}.`,
    ])
  }
  if (callbacks.length === 0) return null
  if (publicUrl === null) {
    throw new ConfigError(['PICTOR_CALLBACKS needs PUBLIC_URL: vendors have to know where this server is.'])
  }
  return { publicUrl, providers: new Set(callbacks) }
}

/** By its looks: encrypted, and neither this machine nor a private network. */
function isForStrangers(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl)
  const literal = literalAddress(hostname)
  const isNamed = literal === null ? hostname.includes('.') && !hostname.endsWith('.local') : isPublicAddress(literal)
  return protocol === 'https:' && isNamed && !hostname.endsWith('.localhost')
}
