import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'
import { forbidden } from './guarded-agent.ts'
import { canonicalAddress } from './public-address.ts'

/** Where this server is reached, as far as that is known by now: `http://127.0.0.1:4000`, `https://pictures.example`. */
export type OwnAddresses = () => readonly string[]

/**
 * Throws where the URL is this server's own: it would ask itself, and wait for itself. Its pictures are named by their
 * ids. By the name that it calls itself, with or without TLS; see `withoutOurselves` for its other names.
 */
export function assertNotOurs(target: URL, own: OwnAddresses): void {
  const isOurs = own().some((address) => {
    const { hostname, port } = new URL(address)
    return hostname === target.hostname && (port === target.port || port === '')
  })
  if (isOurs) throw forbidden()
}

/** Of the addresses that are trusted, those that may be asked on this port: on ours, this machine may not. */
export function withoutOurselves(trusted: readonly string[], target: URL, own: OwnAddresses): readonly string[] {
  // The ports that need no name are a proxy's, or anybody's.
  const isOurPort = target.port !== '' && own().some((address) => new URL(address).port === target.port)
  return isOurPort ? trusted.filter((address) => !isOfThisMachine(address)) : trusted
}

function isOfThisMachine(address: string): boolean {
  if (ipaddr.process(address).range() === 'loopback') return true
  const here = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((each) => each.address))
  return here.some((each) => canonicalAddress(each) === canonicalAddress(address))
}
