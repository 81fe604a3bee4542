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
  if (parsed.range() !== 'unicast') return false
  // Of IPv6 only 2000::/3 is given out; below it lie forms such as ::127.0.0.1, which are no range of their own.
  return !(parsed instanceof ipaddr.IPv6) || ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000
}

/** The literal address that a URL's host is, without brackets; null: it is a name. */
export function literalAddress(hostname: string): string | null {
  const bare = hostname.replace(/^\[|\]$/g, '')
  return isIP(bare) === 0 ? null : bare
}

/** One spelling for one address. */
export function canonicalAddress(address: string): string {
  return ipaddr.process(address).toString()
}
