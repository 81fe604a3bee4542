import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSystemClock } from '../../src/clock.ts'
import { createOutboundPost } from '../../src/outbound/outbound-post.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'

const clock = createSystemClock()
const MESSAGE = { headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' }, body: '{}', timeoutMs: 5_000 }

let receiver: Receiver
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(() => receiver[Symbol.asyncDispose]())

describe('for a stranger', () => {
  const post = createOutboundPost({ clock })

  it.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'ftp://127.0.0.1:PORT/',
  ])('sends nothing to %s', async (address) => {
    const url = address.replace('PORT', new URL(receiver.origin).port)
    await expect(post(url, MESSAGE)).rejects.toMatchObject({ fault: 'FORBIDDEN' })
    expect(receiver.received).toEqual([])
  })

  it('sends nothing to a public name that leads here', async () => {
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    const misled = createOutboundPost({ clock, resolve })
    const url = `http://app.example.com:${new URL(receiver.origin).port}/`
    await expect(misled(url, MESSAGE)).rejects.toMatchObject({ fault: 'FORBIDDEN' })
    expect(receiver.received).toEqual([])
  })
})

describe('for the operator’s own network', () => {
  const open = () => createOutboundPost({ clock, trustedOrigins: [receiver.origin] })

  it('sends what it is given, once, and tells the status', async () => {
    receiver.script(201)
    expect(await open()(receiver.url, MESSAGE)).toEqual({ status: 201, retryAfterMs: null })
    expect(receiver.received).toMatchObject([{ headers: { 'webhook-id': 'msg_1' }, body: '{}' }])
  })

  it('follows no redirect', async () => {
    receiver.script((response) => response.writeHead(307, { location: receiver.url }).end())
    expect(await open()(receiver.url, MESSAGE)).toMatchObject({ status: 307 })
    expect(receiver.received).toHaveLength(1)
  })

  it('reads how long it is to wait', async () => {
    receiver.script((response) => response.writeHead(429, { 'retry-after': '7' }).end())
    expect(await open()(receiver.url, MESSAGE)).toEqual({ status: 429, retryAfterMs: 7_000 })
  })

  it('does not wait for an answer’s body, however long it is', async () => {
    receiver.script((response) => void response.writeHead(200).write('x'))
    expect(await open()(receiver.url, MESSAGE)).toMatchObject({ status: 200 })
    receiver.script((response) => {
      response.writeHead(200, { 'content-length': String(10 * 1024 ** 3) })
      response.write(Buffer.alloc(1_000_000))
    })
    expect(await open()(receiver.url, MESSAGE)).toMatchObject({ status: 200 })
  })

  it('gives up a receiver that says nothing, and one that hangs up', async () => {
    receiver.script(() => undefined)
    await expect(open()(receiver.url, { ...MESSAGE, timeoutMs: 50 })).rejects.toMatchObject({ fault: 'TIMEOUT' })
    receiver.script((response) => response.destroy())
    await expect(open()(receiver.url, MESSAGE)).rejects.toMatchObject({ fault: 'UNREACHABLE' })
  })

  it('trusts no other port of the same host', async () => {
    await using other = await startReceiver()
    await expect(open()(other.url, MESSAGE)).rejects.toMatchObject({ fault: 'FORBIDDEN' })
    expect(other.received).toEqual([])
  })
})
