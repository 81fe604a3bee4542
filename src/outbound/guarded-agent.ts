import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { lookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { Agent, type Dispatcher } from 'undici'
import { OutboundError } from './outbound-error.ts'
import { canonicalAddress, isPublicAddress, literalAddress } from './public-address.ts'

/** May a connection to this address be opened? Asked of the address that is connected to, after the name was resolved. */
export type AddressRule = (address: string) => boolean

/** Every address of a name. */
export type Resolver = (hostname: string, options: LookupAllOptions) => Promise<readonly LookupAddress[]>

/** As the machine itself resolves names. */
export const systemResolver: Resolver = (hostname, options) => lookup(hostname, options)

/**
 * An agent whose connections go to allowed addresses only. A name is judged by the addresses that it resolves to at the
 * moment of connecting, so that a name which changes its mind in between (DNS rebinding) gains nothing.
 */
export function createGuardedAgent(
  allows: AddressRule,
  { connectMs, resolve = systemResolver }: { readonly connectMs: number; readonly resolve?: Resolver },
): Dispatcher {
  return new Agent({ connect: { timeout: connectMs, lookup: createGuardedLookup(allows, resolve) } })
}

/** Node asks no resolver for a host that is an address already: that one is judged here. */
export function assertAllowedHost(url: URL, allows: AddressRule): void {
  const address = literalAddress(url.hostname)
  if (address !== null && !allows(address)) throw forbidden()
}

/** Public addresses, and those that are named besides. */
export function allowPublicAnd(others: readonly string[]): AddressRule {
  const named = new Set(others.map(canonicalAddress))
  return (address) => isPublicAddress(address) || named.has(canonicalAddress(address))
}

export function forbidden(): OutboundError {
  return new OutboundError('FORBIDDEN', 'Only public http and https addresses are fetched.')
}

function createGuardedLookup(allows: AddressRule, resolve: Resolver): LookupFunction {
  return (hostname, options, callback) => {
    const fail = (error: unknown) => callback(error instanceof Error ? error : forbidden(), '', 0)
    resolve(hostname, { ...options, all: true }).then((addresses) => {
      const [first] = addresses
      // One forbidden address among several is enough: which of them is taken is not ours to choose.
      if (!first || !addresses.every(({ address }) => allows(address))) fail(forbidden())
      else if (options.all) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    }, fail)
  }
}
