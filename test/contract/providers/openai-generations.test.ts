import { describe, expect, it, vi } from 'vitest'
import { Secret } from '../../../src/secret.ts'
import { stageOpenai } from './openai-stage.ts'

const USAGE = { inputTokens: 11, imageInputTokens: 0, outputTokens: 0 }

describe('a generation on the wire', () => {
  it('sends one request with exactly what was asked for', async () => {
    const { generate, wire, log } = await stageOpenai({
      count: 2,
      parameters: {
        quality: 'low',
        background: 'TRANSPARENT',
        outputFormat: 'WEBP',
        outputCompression: 60,
        providerOptions: { moderation: 'low', complexity: 'low' },
      },
    })
    await generate()
    expect(wire.billable.map(({ json }) => json)).toEqual([
      {
        model: 'gpt-image-2.6-flare',
        prompt: 'a red fox in snow',
        n: 2,
        size: '1024x640',
        quality: 'low',
        background: 'transparent',
        output_format: 'webp',
        output_compression: 60,
        moderation: 'low',
        complexity: 'low',
      },
    ])
    expect(log.images).toHaveLength(2)
  })

  it('leaves out what the vendor is to decide', async () => {
    const { generate, wire } = await stageOpenai({ parameters: { width: null, height: null } })
    await generate()
    expect(wire.billable[0]?.json).toEqual({ model: 'gpt-image-2.6-flare', prompt: 'a red fox in snow', n: 1 })
  })

  it('tells what the vendor counted, and its id of the request', async () => {
    const { generate } = await stageOpenai({ count: 2, parameters: { quality: 'high', width: 1024, height: 1024 } })
    expect(await generate()).toMatchObject({
      usage: { ...USAGE, imageOutputTokens: 2 * 7024, totalTokens: 11 + 2 * 7024 },
      reportedUsdMicros: null,
      requestId: 'req_1',
    })
  })

  it('tells text that came out apart', async () => {
    const { generate } = await stageOpenai({
      modelName: 'gpt-image-1.5',
      parameters: { quality: 'low', width: 1024, height: 1024 },
    })
    expect((await generate()).usage).toMatchObject({ outputTokens: 40, imageOutputTokens: 272 })
  })

  it('counts each token once where the vendor gives no details', async () => {
    const { generate } = await stageOpenai({ parameters: { quality: 'low', width: 1024, height: 1024 } }, [
      'no_details',
    ])
    expect((await generate()).usage).toEqual({ ...USAGE, imageOutputTokens: 196, totalTokens: 207 })
  })

  it('tells no usage where the vendor tells none', async () => {
    const { generate } = await stageOpenai({}, ['no_usage'])
    expect((await generate()).usage).toBeNull()
  })

  it('takes no more images than were asked for', async () => {
    const { generate, log } = await stageOpenai({ count: 2 }, ['ok more=2'])
    await generate()
    expect(log.images.map(({ index }) => index)).toEqual([0, 1])
  })

  it('fetches links without the key, and goes on where one of them cannot be fetched', async () => {
    const { generate, wire, log } = await stageOpenai({ count: 2 }, ['as_url'])
    expect((await generate()).failures).toEqual([])
    expect(log.images).toHaveLength(2)
    const fetched = wire.requests.filter(({ path }) => path.startsWith('/files/'))
    expect(fetched.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    const lost = await stageOpenai({ count: 2 }, ['private_url'])
    const output = await lost.generate()
    expect(output.failures.map(({ imageIndex, error }) => [imageIndex, error.kind])).toEqual([
      [0, 'BAD_OUTPUT'],
      [1, 'BAD_OUTPUT'],
    ])
  })

  it("asks with the caller's own key before the server's, and with nothing that stands in the environment", async () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-environment')
    vi.stubEnv('OPENAI_ADMIN_KEY', 'sk-admin')
    vi.stubEnv('OPENAI_ORG_ID', 'org-environment')
    vi.stubEnv('OPENAI_PROJECT_ID', 'proj-environment')
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9')
    vi.stubEnv('OPENAI_LOG', 'debug')
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'authorization: Bearer sk-custom\nx-custom: yes')
    const printed = vi.spyOn(console, 'debug')
    const { generate, wire } = await stageOpenai({}, [], { apiKey: new Secret('sk-server') })
    await generate()
    const headers = wire.billable[0]?.headers ?? {}
    expect(headers.authorization).toBe('Bearer sk-canary-7f3c9a51e2')
    expect(Object.keys(headers).filter((name) => /custom|organization|project|stainless/.test(name))).toEqual([])
    expect(JSON.stringify(headers)).not.toMatch(/environment|admin/)
    expect(printed).not.toHaveBeenCalled()
  })
})

describe('the list of models', () => {
  it('names the image models with the day on which they end', async () => {
    const { provider, wire } = await stageOpenai()
    const access = { apiKey: new Secret('sk-own'), signal: new AbortController().signal }
    expect(await provider.listModels?.(access)).toEqual([
      { name: 'gpt-image-2.6-flare', shutsDownAt: null },
      { name: 'gpt-image-2', shutsDownAt: null },
      { name: 'gpt-image-1.5', shutsDownAt: Date.UTC(2026, 11, 1) },
    ])
    expect(wire.requests[0]?.headers.authorization).toBe('Bearer sk-own')
  })

  it('needs a key', async () => {
    const { provider } = await stageOpenai()
    const access = { apiKey: null, signal: new AbortController().signal }
    await expect(provider.listModels?.(access)).rejects.toMatchObject({ kind: 'UNAUTHORIZED', delivery: 'NOT_SENT' })
  })
})
