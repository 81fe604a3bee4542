import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Logger } from '../logger.ts'

type Address = ReturnType<typeof ipaddr.process>
type Network = ReturnType<typeof ipaddr.parseCIDR>

/** Where a request comes from, as far as it can be believed. */
export type ClientAddress = (request: IncomingMessage) => string

/**
 * The peer of the connection; where that is a proxy of ours, whom it names in `X-Forwarded-For`, and so on from the right
 * as long as proxies of ours name one another. What stands further left, anybody can have written.
 */
export function createClientAddress(deps: {
  /** Addresses, and networks such as `10.0.0.0/8`. */
  readonly trustedProxies: readonly string[]
  readonly logger: Logger
}): ClientAddress {
  const trusted = deps.trustedProxies.map(parseNetwork)
  let hasWarned = false

  function isTrusted(address: Address | null): boolean {
    return address !== null && trusted.some((network) => contains(network, address))
  }

  /** Without this, all who come through a proxy would silently share one limit. */
  function warnOnce(proxy: string): void {
    if (hasWarned) return
    hasWarned = true
    const message = 'Requests come through a proxy that is not trusted to name the caller: see PICTOR_TRUSTED_PROXIES'
    deps.logger.warn({ proxy }, message)
  }

  return (request) => {
    const peer = request.socket.remoteAddress ?? ''
    const header = request.headers['x-forwarded-for']
    if (header === undefined) return peer
    if (!isTrusted(parseAddress(peer))) {
      warnOnce(peer)
      return peer
    }
    let client = peer
    for (const named of String(header).split(',').reverse()) {
      const address = parseAddress(withoutPort(named.trim()))
      if (address === null) break
      client = address.toString()
      if (!isTrusted(address)) break
    }
    return client
  }
}

/** Whom to count for: an IPv4 address, or the /64 that a network gives to one customer, who has all of its addresses. */
export function networkOf(client: string): string {
  const address = parseAddress(client)
  if (address === null) return client
  if (!(address instanceof ipaddr.IPv6)) return address.toString()
  return address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')
}

function parseAddress(text: string): Address | null {
  return isIP(text) === 0 ? null : ipaddr.process(text)
}

function parseNetwork(text: string): Network {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.process(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function contains([network, bits]: Network, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits)
}

/** Some proxies name the port too: `203.0.113.7:4711`, `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(text) ?? []
  return bracketed ?? text.replace(/^([\d.]+):\d+$/, '$1')
}
