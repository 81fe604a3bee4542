import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOOLS } from '../../../src/transport/mcp/tools.ts'
import { quickArguments } from '../../support/mcp.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'

let server: TestApp
let account: TestAccount
beforeAll(async () => {
  server = await startApp()
  account = await createTestAccount(server.app)
})
afterAll(() => server[Symbol.asyncDispose]())

it('the client of the first line of the SDK lists, calls, is told of progress and reads', async () => {
  const client = new Client({ name: 'older', version: '1.0.0' })
  const headers = { authorization: `Bearer ${account.secret}` }
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', server.origin), { requestInit: { headers } })
  await client.connect(transport)
  const { tools } = await client.listTools()
  expect(tools).toHaveLength(TOOLS.length)
  const messages: (string | undefined)[] = []
  const params = { name: 'generate_image', arguments: quickArguments('older', { wait_seconds: 30 }) }
  // It holds structured content to the schema that was listed.
  const result = await client.callTool(params, undefined, { onprogress: ({ message }) => void messages.push(message) })
  expect(result.structuredContent).toMatchObject({ wait_ended: 'FINISHED', generation: { status: 'COMPLETED' } })
  expect(messages).toContain('IMAGE_READY')
  const wrong = await client.callTool({ name: 'get_generation', arguments: { id: 'gen_1' } })
  expect(wrong.isError).toBe(true)
  const [resource] = (await client.listResources()).resources
  expect((await client.readResource({ uri: resource?.uri ?? '' })).contents[0]).toMatchObject({ mimeType: 'image/png' })
  await transport.terminateSession()
  await client.close()
})

describe('the inspector', () => {
  const run = promisify(execFile)
  // Beside what npm would start, which looks for a Node of its own.
  const cli = createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector-cli/build/index.js')

  async function inspect(...args: string[]): Promise<unknown> {
    const common = [
      `${server.origin}/mcp`,
      '--transport',
      'http',
      '--header',
      `authorization: Bearer ${account.secret}`,
    ]
    // It looks for its own package.json from where it is started.
    return JSON.parse((await run(process.execPath, [cli, ...common, ...args], { cwd: dirname(cli) })).stdout)
  }

  it('lists the tools', async () => {
    expect(await inspect('--method', 'tools/list')).toMatchObject({ tools: TOOLS.map(({ name }) => ({ name })) })
  })

  it('calls a tool', async () => {
    const prompt = 'prompt=a red fox in snow'
    const args = ['--tool-arg', prompt, '--tool-arg', 'count=2']
    expect(await inspect('--method', 'tools/call', '--tool-name', 'estimate_cost', ...args)).toMatchObject({
      structuredContent: { model: 'sandbox/painter', affordable: true },
    })
  })

  it('reads what templates there are', async () => {
    expect(await inspect('--method', 'resources/templates/list')).toMatchObject({
      resourceTemplates: [{ uriTemplate: 'pictor://images/{id}' }],
    })
  })
})
