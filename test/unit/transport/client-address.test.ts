import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createClientAddress, networkOf } from '../../../src/transport/client-address.ts'
import { createRecordingLogger } from '../../support/recording-logger.ts'

function addressOf(peer: string, forwarded: string | undefined, trustedProxies: readonly string[]): string {
  const request = { socket: { remoteAddress: peer }, headers: { 'x-forwarded-for': forwarded } }
  return createClientAddress({ trustedProxies, logger: createRecordingLogger() })(request as unknown as IncomingMessage)
}

const PROXIES = ['10.0.0.0/8', '127.0.0.1', '2001:db8:1::/48']

describe('the address of a caller', () => {
  it.each([
    ['is the peer where nothing was forwarded', '203.0.113.9', undefined, '203.0.113.9'],
    ['is the peer where that is no proxy of ours, whatever it says', '203.0.113.9', '1.2.3.4', '203.0.113.9'],
    ['is whom our proxy names', '10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['is whom our proxy names over IPv4 in IPv6', '::ffff:10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['is the last one that is not ours', '127.0.0.1', '1.2.3.4, 203.0.113.9, 10.9.9.9', '203.0.113.9'],
    ['is never what the caller wrote before it', '127.0.0.1', '10.0.0.1, 203.0.113.9', '203.0.113.9'],
    ['is read without its port', '127.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['is read without brackets', '127.0.0.1', '[2001:db8:2::9]:4711', '2001:db8:2::9'],
    ['is the last believed one where the rest is garbage', '127.0.0.1', 'unknown, 10.9.9.9', '10.9.9.9'],
    ['is no number that stands for an address', '127.0.0.1', '3405803785', '127.0.0.1'],
    ['is the first of our own where all are', '127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
  ])('%s', (_what, peer, forwarded, expected) => {
    expect(addressOf(peer, forwarded, PROXIES)).toBe(expected)
  })

  it('is told to the operator, once, where a proxy is not trusted', () => {
    const logger = createRecordingLogger()
    const read = createClientAddress({ trustedProxies: [], logger })
    const request = { socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': '203.0.113.9' } }
    for (let n = 0; n < 3; n++) read(request as unknown as IncomingMessage)
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { proxy: '10.0.0.1' } }])
    expect(logger.lines[0]?.message).toContain('PICTOR_TRUSTED_PROXIES')
  })
})

describe('the network that is counted', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::1', '2001:db8:1:2'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
