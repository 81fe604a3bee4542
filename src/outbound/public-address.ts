import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Is it an address that anybody on the internet may reach? Loopback, private, link-local, carrier-grade, multicast,
 * reserved and every other special range is not, nor is an IPv6 address that carries such an IPv4 one inside.
 * `address` is a literal without brackets.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false
  const parsed = ipaddr.process(address)
  return (
    parsed.range() === 'unicast' &&
    (!(parsed instanceof ipaddr.IPv6) || parsed.match(ipaddr.IPv6.parseCIDR(GLOBAL_IPV6)))
  )
}

/** All that is given out to anybody. Outside of it are IPv4-compatible addresses (`::127.0.0.1`) and what comes yet. */
const GLOBAL_IPV6 = '2000::/3'

/** The literal address that a URL's host is, without brackets; null: it is a name. */
export function literalAddress(hostname: string): string | null {
  const bare = hostname.replace(/^\[|\]$/g, '')
  return isIP(bare) === 0 ? null : bare
}

/** One spelling for one address. */
export function canonicalAddress(address: string): string {
  return ipaddr.process(address).toString()
}
