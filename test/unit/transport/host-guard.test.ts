import { describe, expect, it } from 'vitest'
import { createHostGuard, type HostGuardOptions } from '../../../src/transport/host-guard.ts'

function guard(options: Partial<HostGuardOptions> = {}) {
  return createHostGuard({
    loopbackOnly: true,
    allowedHosts: [],
    allowedOrigins: [],
    publicUrl: null,
    port: () => 4000,
    ...options,
  })
}

const check = (options: Partial<HostGuardOptions>, host: string | null, origin: string | null = null) =>
  guard(options).check({ host, origin })?.status ?? 200

describe('the host guard on the loopback', () => {
  it.each([
    ['localhost:4000', 200],
    ['LOCALHOST:4000', 200],
    ['127.0.0.1:4000', 200],
    ['[::1]:4000', 200],
    [null, 421],
    ['', 421],
    ['localhost', 421],
    ['localhost:4001', 421],
    ['localhost.:4000', 421],
    ['127.0.0.2:4000', 421],
    ['0.0.0.0:4000', 421],
    ['evil.example:4000', 421],
    ['localhost:4000@evil.example', 421],
  ])('answers Host %s with %i', (host, status) => {
    expect(check({}, host)).toBe(status)
  })

  it('needs no port where that is the one of the scheme', () => {
    expect(check({ port: () => 80 }, 'localhost')).toBe(200)
  })

  it('takes listed hosts and that of the public address', () => {
    expect(check({ allowedHosts: ['Dev.Box:8080'] }, 'dev.box:8080')).toBe(200)
    expect(check({ publicUrl: 'https://pictor.example/base' }, 'pictor.example')).toBe(200)
  })

  it.each([
    [null, 200],
    ['http://localhost:4000', 200],
    ['http://127.0.0.1:4000', 200],
    ['https://app.example', 200],
    ['http://localhost:5173', 403],
    ['http://app.example', 403],
    ['https://app.example.evil.example', 403],
    ['null', 403],
    ['', 403],
    ['file://', 403],
    ['http://evil.example', 403],
  ])('answers Origin %s with %i', (origin, status) => {
    expect(check({ allowedOrigins: ['https://app.example/'] }, 'localhost:4000', origin)).toBe(status)
  })
})

describe('the host guard where keys are required', () => {
  it('takes any host until some are listed', () => {
    expect(check({ loopbackOnly: false }, 'anything.example')).toBe(200)
    expect(check({ loopbackOnly: false, allowedHosts: ['a.example'] }, 'anything.example')).toBe(421)
    expect(check({ loopbackOnly: false, allowedHosts: ['a.example'] }, 'a.example')).toBe(200)
  })

  it('counts a page as ours when its host is the one that was called', () => {
    const open = guard({ loopbackOnly: false })
    expect(open.allowsOrigin({ host: 'a.example', origin: 'https://a.example' })).toBe(true)
    expect(open.allowsOrigin({ host: 'a.example', origin: 'https://b.example' })).toBe(false)
    expect(open.isListedOrigin('https://a.example')).toBe(false)
  })
})
