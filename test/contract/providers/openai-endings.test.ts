import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createOpenaiProvider } from '../../../src/providers/openai/openai-provider.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createCall, rejectionOf } from '../provider-contract.ts'
import { stageOpenai } from './openai-stage.ts'
import { createProviderRequest, wireDeps } from './wire-stage.ts'

/** A vendor that begins an answer and never ends it. */
async function startHalfVendor() {
  const begun = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const server = createServer((incoming, response) => {
    response.on('close', closed.resolve)
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const isStream = Buffer.concat(chunks).includes('"stream":true')
      response.writeHead(200, {
        'content-type': isStream ? 'text/event-stream' : 'application/json',
        'x-request-id': 'req_half',
      })
      response.write(isStream ? 'event: ' : '{"data": [', () => begun.resolve())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { baseUrl, begun: begun.promise, closed: closed.promise }
}

describe.each([0, 2])('the end of a call with %i previews', (previews) => {
  const request = createProviderRequest({ previews })

  it('closes the connection as soon as it is given up while its answer comes', async () => {
    const vendor = await startHalfVendor()
    const ending = new AbortController()
    const { call } = createCall({ signal: ending.signal })
    const provider = createOpenaiProvider({ ...wireDeps(vendor.baseUrl), apiKey: null })
    const result = rejectionOf(provider.generate(request, call))
    await vendor.begun
    ending.abort()
    const message = 'The call was ended before it was over.'
    expect(await result).toMatchObject({ message, delivery: 'UNKNOWN', providerBilled: null })
    await vendor.closed
  })

  it('is a time-out of unknown outcome where the answer takes too long', async () => {
    const vendor = await startHalfVendor()
    const clock = createFakeClock()
    const deps = wireDeps(vendor.baseUrl)
    const arrived = Promise.withResolvers<void>()
    const fetch: typeof deps.fetch = async (...given) => {
      const response = await deps.fetch(...given)
      setImmediate(arrived.resolve)
      return response
    }
    const provider = createOpenaiProvider({ ...deps, fetch, clock, apiKey: null })
    const result = rejectionOf(provider.generate(request, createCall().call))
    await arrived.promise
    await clock.advance(60 * 60_000)
    const expected = { kind: 'TIMEOUT', delivery: 'UNKNOWN', providerBilled: null, providerRequestId: 'req_half' }
    expect(await result).toMatchObject(expected)
    await vendor.closed
  })
})

describe('the end of a call that is not answered', () => {
  it('is a time-out of unknown outcome', async () => {
    const clock = createFakeClock()
    const { generate, wire } = await stageOpenai({}, ['hang'], { clock })
    const result = rejectionOf(generate())
    await wire.until(({ path }) => path.startsWith('/v1/images/'))
    await clock.advance(60 * 60_000)
    expect(await result).toMatchObject({ kind: 'TIMEOUT', delivery: 'UNKNOWN', providerBilled: null })
  })
})
