import { describe, expect, it } from 'vitest'
import { canonicalAddress, isPublicAddress, literalAddress } from '../../../src/outbound/public-address.ts'

/** First and last address of each range of the registries for special purposes, with one between. */
const SPECIAL: readonly (readonly [range: string, addresses: readonly string[]])[] = [
  ['this network', ['0.0.0.0', '0.1.2.3', '0.255.255.255']],
  ['private 10/8', ['10.0.0.0', '10.1.2.3', '10.255.255.255']],
  ['carrier-grade', ['100.64.0.0', '100.100.100.200', '100.127.255.255']],
  ['loopback', ['127.0.0.0', '127.0.0.1', '127.255.255.255']],
  ['link-local and cloud metadata', ['169.254.0.0', '169.254.169.254', '169.254.255.255']],
  ['private 172.16/12', ['172.16.0.0', '172.20.1.1', '172.31.255.255']],
  ['protocol assignments', ['192.0.0.0', '192.0.0.170', '192.0.0.255']],
  ['documentation', ['192.0.2.1', '198.51.100.1', '203.0.113.255', '2001:db8::1', '3fff::1']],
  ['6to4 relays', ['192.88.99.1']],
  ['private 192.168/16', ['192.168.0.0', '192.168.1.1', '192.168.255.255']],
  ['benchmarks', ['198.18.0.0', '198.19.255.255', '2001:2::1']],
  ['multicast', ['224.0.0.0', '239.255.255.255', 'ff02::1', 'ff0e::1']],
  ['reserved and broadcast', ['240.0.0.0', '254.1.2.3', '255.255.255.255']],
  ['unspecified and loopback of IPv6', ['::', '::1']],
  ['unique local', ['fc00::', 'fd12:3456::1', 'fdff:ffff::1']],
  ['link-local of IPv6', ['fe80::1', 'febf::1', 'fe80::1%eth0']],
  ['site-local', ['fec0::1']],
  ['discard', ['100::1']],
  ['Teredo, ORCHID and other assignments', ['2001::1', '2001:10::1', '2001:20::1']],
  ['segment routing', ['5f00::1']],
  ['not given out', ['4000::1', 'a000::1', 'e000::1', '1000::1', '0:0:1::1']],
]

/** Each of them means 127.0.0.1, 10.0.0.1 or 169.254.169.254 to something on the way. */
const INSIDE: readonly (readonly [form: string, addresses: readonly string[]])[] = [
  ['IPv4-mapped', ['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:0a00:0001', '::FFFF:169.254.169.254']],
  ['IPv4-compatible', ['::127.0.0.1', '::7f00:1', '::a00:1']],
  ['IPv4-translated', ['::ffff:0:127.0.0.1', '::ffff:0:7f00:1']],
  ['NAT64', ['64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::a00:1']],
  ['6to4', ['2002:7f00:1::', '2002:a00:1::1', '2002:a9fe:a9fe::1']],
]

describe('A public address', () => {
  it.each(SPECIAL)('is none of %s', (_, addresses) => {
    for (const address of addresses) expect([address, isPublicAddress(address)]).toEqual([address, false])
  })

  it.each(INSIDE)('is none that carries a private one inside (%s)', (_, addresses) => {
    for (const address of addresses) expect([address, isPublicAddress(address)]).toEqual([address, false])
  })

  it.each([
    ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
    ['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255'],
    ['192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255', '::ffff:8.8.8.8', '2606:4700:4700::1111'],
    ['2a00:1450:4001::200e', '2400:cb00::1'],
  ])('is any that everybody can reach: %s …', (...addresses) => {
    for (const address of addresses) expect([address, isPublicAddress(address)]).toEqual([address, true])
  })

  it.each(['', 'localhost', 'example.com', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '[::1]', '1.2.3.4:80'])(
    'is nothing that is no literal: "%s"',
    (text) => {
      expect(isPublicAddress(text)).toBe(false)
    },
  )
})

describe('A literal address', () => {
  it.each([
    ['[::1]', '::1'],
    ['127.0.0.1', '127.0.0.1'],
    ['example.com', null],
    ['[example.com]', null],
    ['', null],
  ])('of the host %s is %s', (host, address) => {
    expect(literalAddress(host)).toBe(address)
  })

  it.each(['http://2130706433/', 'http://0x7f.1/', 'http://0177.0.0.1/', 'http://127.1/', 'http://①②⑦.⓪.⓪.①/'])(
    'is what a URL makes of %s',
    (url) => {
      expect(literalAddress(new URL(url).hostname)).toBe('127.0.0.1')
    },
  )

  it('has one spelling', () => {
    expect(canonicalAddress('::ffff:127.0.0.1')).toBe('127.0.0.1')
    expect(canonicalAddress('2606:4700:0:0:0:0:0:1111')).toBe(canonicalAddress('2606:4700::1111'))
  })
})
