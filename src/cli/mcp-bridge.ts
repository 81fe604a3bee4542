import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import {
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import type { ApiTarget } from './api.ts'
import type { Interruptions } from './interruptions.ts'
import { answerFailure, explainFailure, LOST } from './mcp-failures.ts'

export type McpBridgeDeps = {
  /** Looked for anew whenever the last one did not answer. Throws where there is none. */
  findServer(): Promise<ApiTarget>
  /** To standard error: standard output is the protocol's. */
  note(text: string): void
  readonly interruptions: Interruptions
}

/**
 * Hands messages on, from standard input to the server and from there to standard output, and knows nothing of what is in
 * them. Resolves when standard input ends. A server that is away is told to whoever asks, and the next message tries again.
 */
export async function runMcpBridge(deps: McpBridgeDeps): Promise<void> {
  const assistant = new StdioServerTransport()
  const ended = Promise.withResolvers<void>()
  const server = createServerLink(deps, (message) => void assistant.send(message).catch(() => ended.resolve()))
  const stopListening = deps.interruptions.listen(['SIGINT', 'SIGTERM'], ended.resolve)
  assistant.onmessage = (message) => void server.forward(message)
  assistant.onerror = (error) => deps.note(`That was no message: ${error.message}`)
  assistant.onclose = ended.resolve
  await assistant.start()
  await ended.promise
  stopListening()
  await assistant.close()
  await server.close()
}

type ServerLink = {
  forward(message: JSONRPCMessage): Promise<void>
  close(): Promise<void>
}

type Connection = { readonly target: ApiTarget; readonly transport: StreamableHTTPClientTransport }
type Pending = { readonly request: JSONRPCRequest; readonly abort: AbortController }

function createServerLink(deps: McpBridgeDeps, tell: (message: JSONRPCMessage) => void): ServerLink {
  const pending = new Map<string | number, Pending>()
  let connection: Connection | undefined
  /** As the handshake settled it. The server keeps no session, so that it outlives a restart. */
  let protocolVersion: string | undefined

  async function connect(): Promise<Connection> {
    const target = await deps.findServer()
    if (connection?.target.url === target.url) return connection
    const headers = target.key === undefined ? {} : { authorization: `Bearer ${target.key}` }
    const transport = new StreamableHTTPClientTransport(new URL('mcp', target.url), { requestInit: { headers } })
    if (protocolVersion !== undefined) transport.setProtocolVersion(protocolVersion)
    transport.onmessage = (message) => hear(transport, message)
    await transport.start()
    deps.note(`Speaking to ${new URL('mcp', target.url)}.`)
    connection = { target, transport }
    return connection
  }

  function hear(transport: StreamableHTTPClientTransport, message: JSONRPCMessage): void {
    if (isJSONRPCResponse(message) && message.id !== undefined) {
      const asked = pending.get(message.id)
      // Given up meanwhile: nobody waits for it.
      if (!pending.delete(message.id)) return
      const version = isJSONRPCResultResponse(message) ? message.result.protocolVersion : undefined
      if (asked && isInitializeRequest(asked.request) && typeof version === 'string') {
        protocolVersion = version
        transport.setProtocolVersion(version)
      }
    }
    tell(message)
  }

  function fail(request: JSONRPCRequest, failure: Error): void {
    if (!pending.delete(request.id)) return
    deps.note(failure.message)
    tell(answerFailure(request, failure.message))
  }

  /** What ends the stream of an answer ends the wait behind it, and nothing else. */
  function giveUp(requestId: unknown): void {
    if (typeof requestId !== 'string' && typeof requestId !== 'number') return
    const asked = pending.get(requestId)
    pending.delete(requestId)
    asked?.abort.abort()
  }

  async function ask(request: JSONRPCRequest): Promise<void> {
    const abort = new AbortController()
    pending.set(request.id, { request, abort })
    const onRequestStreamEnd = () => fail(request, LOST)
    let target: ApiTarget | undefined
    try {
      const { transport, ...found } = await connect()
      target = found.target
      await transport.send(request, { requestSignal: abort.signal, onRequestStreamEnd })
    } catch (error) {
      fail(request, explainFailure(error, target))
    }
  }

  async function say(message: JSONRPCMessage): Promise<void> {
    try {
      const { transport } = await connect()
      await transport.send(message)
    } catch (error) {
      deps.note(explainFailure(error, connection?.target).message)
    }
  }

  return {
    async forward(message) {
      if (isJSONRPCRequest(message)) return ask(message)
      if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') {
        return giveUp(message.params?.requestId)
      }
      return say(message)
    },
    async close() {
      for (const { abort } of pending.values()) abort.abort()
      pending.clear()
      await connection?.transport.close()
    },
  }
}
