import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { onTestFinished } from 'vitest'
import type { z } from 'zod'
import type { GenerationAnswerSchema } from '../../src/transport/mcp/results/generation-answer.ts'

export type McpClientOptions = {
  readonly secret?: string
  /** With the protocol of 2026, which knows no handshake; else with that of 2025. */
  readonly modern?: boolean
}

/** The official client, connected to the door of a server; closed when the test has finished. */
export async function openMcpClient(origin: string, options: McpClientOptions = {}): Promise<Client> {
  const { secret, modern = false } = options
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    modern ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {},
  )
  const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` }
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', origin), { requestInit: { headers } }))
  onTestFinished(() => client.close())
  return client
}

export type GenerationAnswer = z.output<typeof GenerationAnswerSchema>

/** The smallest picture, at once, under a key of its own. */
export function quickArguments(idempotencyKey: string, rest: Readonly<Record<string, unknown>> = {}) {
  return {
    prompt: 'a red fox in snow [[sandbox delay=0]]',
    size: '64x64',
    idempotency_key: idempotencyKey,
    ...rest,
  }
}

/** The text of a result as JSON. */
export function readText({ content }: CallToolResult): unknown {
  const [first] = content
  if (first?.type !== 'text') throw new Error('The result has no text.')
  return JSON.parse(first.text)
}

/** What the tool says of a generation; throws for an error. */
export function readAnswer<Answer = GenerationAnswer>(result: CallToolResult): Answer {
  if (result.isError || result.structuredContent === undefined) throw new Error(JSON.stringify(result.content))
  return result.structuredContent as Answer
}

export type ToolError = {
  readonly code: string
  readonly message: string
  readonly fields?: readonly { readonly path: string; readonly message: string; readonly allowed: readonly string[] }[]
}

/** The error that a tool tells; throws for a success. */
export function readError(result: CallToolResult): ToolError {
  if (!result.isError) throw new Error(`It worked: ${JSON.stringify(result.structuredContent)}`)
  return (readText(result) as { readonly error: ToolError }).error
}

/** A message as it stands on the wire, by any method and with any headers. */
export function postMcp(origin: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return fetch(new URL('/mcp', origin), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}
