import { describe, expect, it } from 'vitest'
import { isOfVendor } from '../../../../src/providers/wire/vendor-url.ts'

describe('The key may be shown', () => {
  it.each([
    ['https://api.bfl.ai/v1/get_result?id=1', 'https://api.bfl.ai'],
    ['https://api.us1.bfl.ai/v1/get_result', 'https://api.bfl.ai'],
    ['https://API.EU.BFL.AI/', 'https://api.bfl.ai'],
    ['https://queue.fal.run/x', 'https://fal.run'],
    ['https://api.bfl.ai:8443/', 'https://api.bfl.ai'],
    ['http://127.0.0.1:4001/', 'http://127.0.0.1:4000'],
    ['http://localhost:4001/', 'http://localhost:4000'],
    ['https://localhost/', 'http://localhost:4000'],
    ['http://[::1]:1/', 'http://[::1]:2'],
    ['https://proxy.workers.dev/a', 'https://proxy.workers.dev'],
    ['https://images.example.co.uk/a', 'https://images.example.co.uk'],
  ])('at %s by %s', (url, baseUrl) => {
    expect(isOfVendor(url, baseUrl)).toBe(true)
  })
})

describe('The key is kept back', () => {
  it.each([
    ['https://evil.example/', 'https://api.bfl.ai', 'another host'],
    ['https://bfl.ai.evil.example/', 'https://api.bfl.ai', 'its name in front'],
    ['https://evilbfl.ai/', 'https://api.bfl.ai', 'its name at the end of another'],
    ['https://evil.example/api.bfl.ai', 'https://api.bfl.ai', 'its name in the path'],
    ['https://api.bfl.ai@evil.example/', 'https://api.bfl.ai', 'its name as a user'],
    ['https://user:pass@api.bfl.ai/', 'https://api.bfl.ai', 'credentials'],
    ['https://bfl.ai/', 'https://api.bfl.ai', 'the bare domain, where a web site lies'],
    ['http://api.bfl.ai/', 'https://api.bfl.ai', 'plain text'],
    ['ftp://api.bfl.ai/', 'https://api.bfl.ai', 'another scheme'],
    ['file:///etc/passwd', 'https://api.bfl.ai', 'a file'],
    ['https://api.bfl.ai\\@evil.example/..', 'https://api.us1.bfl.ai.example', 'a trick with a backslash'],
    ['', 'https://api.bfl.ai', 'nothing'],
    ['/v1/get_result', 'https://api.bfl.ai', 'a path alone'],
    ['https://api.bfl.ai/', 'nonsense', 'a base that is none'],
    ['http://10.0.0.1/', 'http://127.0.0.1', 'another address'],
    ['http://1.127.0.0.1/', 'http://127.0.0.1', 'no address at all'],
    ['http://8.8.0.1/', 'http://127.0.0.1', 'an address with the same end'],
    ['http://[::2]/', 'http://[::1]', 'another address of IPv6'],
    ['http://evil.localhost/', 'http://localhost', 'a name under a name of one part'],
    ['https://evil.workers.dev/', 'https://proxy.workers.dev', "another's host beside the operator's proxy"],
    ['https://evil.co.uk/', 'https://example.co.uk', "another's domain"],
    ['https://evil.com.au/', 'https://api.example.com.au', "another's domain"],
  ])('from %s by %s: %s', (url, baseUrl) => {
    expect(isOfVendor(url, baseUrl)).toBe(false)
  })
})
