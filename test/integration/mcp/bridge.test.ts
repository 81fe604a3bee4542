import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { TOOLS } from '../../../src/transport/mcp/tools.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { quickArguments, readAnswer } from '../../support/mcp.ts'
import { untilSubscribed } from '../../support/metrics.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'

let server: TestApp
let account: TestAccount
/** Between some assistants and the server; refuses connections while `isAway`. */
let proxy: FaultProxy
let isAway = false
beforeAll(async () => {
  proxy = await startFaultProxy(0, () => (isAway ? { kind: 'refusal' } : undefined))
  server = await startApp({ env: { PUBLIC_URL: `http://127.0.0.1:${proxy.port}` } })
  proxy.leadTo(server.app.port)
  account = await createTestAccount(server.app)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await proxy.stop()
})

const COMMAND = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

/** An assistant that has started `pictor mcp`, as its configuration says. */
async function startAssistant(env: Record<string, string>, { modern = false } = {}) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [COMMAND, 'mcp'],
    env: { PATH: process.env.PATH ?? '', ...env },
    stderr: 'pipe',
  })
  let notes = ''
  transport.stderr?.on('data', (part) => {
    notes += part
  })
  const versionNegotiation = { mode: { pin: '2026-07-28' } }
  const client = new Client({ name: 'assistant', version: '1.0.0' }, modern ? { versionNegotiation } : {})
  onTestFinished(() => client.close())
  return { client, transport, notes: () => notes }
}

function textOf({ content }: Awaited<ReturnType<Client['callTool']>>): string {
  const [first] = content
  return first?.type === 'text' ? first.text : ''
}

it.each([{ modern: false }, { modern: true }])(
  'an assistant lists, makes a picture, is told of progress and reads it (modern: $modern)',
  async ({ modern }) => {
    const { client, transport, notes } = await startAssistant(
      { PICTOR_URL: server.origin, PICTOR_KEY: account.secret },
      { modern },
    )
    await client.connect(transport)
    expect((await client.listTools()).tools).toHaveLength(TOOLS.length)
    const messages: (string | undefined)[] = []
    const params = { name: 'generate_image', arguments: quickArguments(`stdio-${modern}`, { wait_seconds: 30 }) }
    const result = await client.callTool(params, { onprogress: ({ message }) => void messages.push(message) })
    expect(result.structuredContent).toMatchObject({ wait_ended: 'FINISHED', generation: { status: 'COMPLETED' } })
    expect(messages).toContain('STARTED')
    const [image] = readAnswer(result).generation.images
    expect((await client.readResource({ uri: image?.uri ?? '' })).contents[0]).toMatchObject({ mimeType: 'image/png' })
    expect(notes()).toBe(`Speaking to ${server.origin}/mcp.\n`)
  },
)

it.each([{ modern: false }, { modern: true }])(
  'a request that the assistant gives up ends the wait at the server and not the generation (modern: $modern)',
  async ({ modern }) => {
    const { client, transport } = await startAssistant(
      { PICTOR_URL: server.origin, PICTOR_KEY: account.secret },
      { modern },
    )
    await client.connect(transport)
    const endless = quickArguments(`stdio-endless-${modern}`, { prompt: 'a fox [[sandbox delay=600000]]' })
    const { generation } = readAnswer(await client.callTool({ name: 'generate_image', arguments: endless }))
    const gaveUp = new AbortController()
    const params = { name: 'wait_for_generation', arguments: { id: generation.id, wait_seconds: 300 } }
    const waiting = client.callTool(params, { signal: gaveUp.signal, timeout: 600_000 })
    await untilSubscribed(server.origin, 1)
    gaveUp.abort('enough')
    await expect(waiting).rejects.toThrow('enough')
    await untilSubscribed(server.origin, 0)
    const now = await client.callTool({ name: 'cancel_generation', arguments: { id: generation.id } })
    expect(now.structuredContent).toMatchObject({ effect: 'MAY_BE_BILLED' })
  },
)

it('a server that is away is told to the assistant, and one that is back answers without a new start', async () => {
  const address = `http://127.0.0.1:${proxy.port}`
  const { client, transport } = await startAssistant({ PICTOR_URL: address, PICTOR_KEY: account.secret })
  await client.connect(transport)
  isAway = true
  proxy.cutAll()
  const down = await client.callTool({ name: 'list_models', arguments: {} })
  expect(down.isError).toBe(true)
  expect(textOf(down)).toContain(`No answer from ${address}`)
  await expect(client.listResources()).rejects.toThrow(`No answer from ${address}`)
  isAway = false
  expect((await client.callTool({ name: 'list_models', arguments: {} })).isError).toBeUndefined()
})

it('a server that goes in the middle of a wait is told, with how to go on', async () => {
  const address = `http://127.0.0.1:${proxy.port}`
  const { client, transport } = await startAssistant({ PICTOR_URL: address, PICTOR_KEY: account.secret })
  await client.connect(transport)
  const args = quickArguments('stdio-cut', { prompt: 'a fox [[sandbox delay=600000]]' })
  const waiting = client.callTool(
    { name: 'generate_image', arguments: { ...args, wait_seconds: 300 } },
    { timeout: 600_000 },
  )
  await untilSubscribed(server.origin, 1)
  proxy.cutAll()
  const lost = await waiting
  expect(lost.isError).toBe(true)
  expect(textOf(lost)).toContain('the same idempotency_key')
  const again = await client.callTool({ name: 'generate_image', arguments: args })
  expect(again.structuredContent).toMatchObject({ replayed: true })
  await client.callTool({ name: 'cancel_generation', arguments: { id: readAnswer(again).generation.id } })
})

it('a key that is wrong, or missing, is told with the mend', async () => {
  const wrong = await startAssistant({ PICTOR_URL: server.origin, PICTOR_KEY: 'pk_wrong' })
  await expect(wrong.client.connect(wrong.transport)).rejects.toThrow('does not accept this key')
  const missing = await startAssistant({ PICTOR_URL: server.origin })
  await expect(missing.client.connect(missing.transport)).rejects.toThrow('wants an API key')
})

it('says so where no server is named and none runs here', async () => {
  const { client, transport } = await startAssistant({ PICTOR_DATA_DIR: server.dataDir, PORT: '0' })
  await expect(client.connect(transport)).rejects.toThrow('No server runs. Start one with: npm start')
})
