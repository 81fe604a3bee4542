import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, type Dispatcher } from 'undici'
import { OutboundError } from './outbound-error.ts'
import { canonicalAddress, isPublicAddress, literalAddress } from './public-address.ts'

/** May a connection to this address be opened? Asked of the address that is connected to, after the name was resolved. */
export type AddressRule = (address: string) => boolean

/**
 * An agent whose connections go to allowed addresses only. A name is judged by the addresses that it resolves to at the
 * moment of connecting, so that a name which changes its mind in between (DNS rebinding) gains nothing.
 */
export function createGuardedAgent(allows: AddressRule, limits: { readonly connectMs: number }): Dispatcher {
  return new Agent({ connect: { timeout: limits.connectMs, lookup: createGuardedLookup(allows) } })
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

function createGuardedLookup(allows: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, '', 0)
      // One forbidden address among several is enough: which of them is taken is not ours to choose.
      if (addresses.length === 0 || !addresses.every(({ address }) => allows(address))) {
        return callback(forbidden(), '', 0)
      }
      if (options.all) return callback(null, addresses)
      const [first] = addresses
      callback(null, first?.address ?? '', first?.family ?? 0)
    })
  }
}
