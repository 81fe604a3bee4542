import type { ServerResponse } from 'node:http'
import { createMcpHandler } from '@modelcontextprotocol/server'
import type { Ids } from '../../ids.ts'
import type { Services } from '../../services.ts'
import type { Call } from '../call.ts'
import { CallRefusedError, type ReadFailure } from '../call-failures.ts'
import type { TransportLimits } from '../limits.ts'
import { headerOf } from '../request-facts.ts'
import type { Failure } from '../response-headers.ts'
import type { OpenDoor } from '../server-options.ts'
import { createMcpServer } from './mcp-server.ts'
import { type Message, readMessage } from './message.ts'
import { sendRpcRefusal } from './rpc-refusal.ts'
import { createRunningCalls, type RunningCalls } from './running-calls.ts'
import { describeFailure } from './tool-failure.ts'
import { sendWebResponse, toWebRequest } from './web-exchange.ts'

export type McpDoorDeps = {
  readonly services: Services
  readonly readFailure: ReadFailure
  readonly ids: Pick<Ids, 'token'>
  /** Of Pictor. */
  readonly version: string
}

/** Arguments are words: pictures come in by id. */
const MAX_BYTES = 1_048_576
const SESSION_HEADER = 'mcp-session-id'

/**
 * The Model Context Protocol over HTTP, without sessions: each message is answered by whichever process it comes to, and
 * nothing is kept between two of them.
 */
export function createMcpDoor(deps: McpDoorDeps): OpenDoor {
  return (desk) => {
    const { limits } = desk
    const shared = { ...deps, ...limits, running: createRunningCalls() }
    return {
      prefix: '/mcp',
      name: 'mcp',
      // The protocol asks for it.
      refusesPages: true,
      refuse: refuseEntry,
      async handle(request, response, info) {
        try {
          if (request.method !== 'POST') throw wrongMethod()
          await desk.serve({ request, response, info }, (call) => answer(shared, call))
        } catch (error) {
          if (!response.destroyed && !request.errored) refuse(deps, response, error)
        }
      },
    }
  }
}

type Shared = McpDoorDeps & Pick<TransportLimits, 'stallMs'> & { readonly running: RunningCalls }

async function answer(deps: Shared, call: Call): Promise<void> {
  const { running } = deps
  const read = readMessage(await call.readBody(MAX_BYTES))
  await call.setLimitHeaders()
  if ('fault' in read) {
    const { code, message } = read.fault
    const data = { code: 'BAD_USER_INPUT' }
    return sendRpcRefusal(call.response, { status: 400, message, headers: {}, rpcCode: code, data })
  }
  const { message } = read
  const name = { viewer: call.viewer, label: headerOf(call.request, SESSION_HEADER) }
  if (message.method === 'notifications/cancelled') running.cancel({ ...name, id: toId(message.params.requestId) })
  // Clients that open with a handshake are given a label; nobody remembers it.
  if (message.method === 'initialize') call.response.setHeader(SESSION_HEADER, deps.ids.token())
  const canceled = new AbortController()
  const remove = running.add({ ...name, id: message.id }, () => canceled.abort())
  try {
    await speak(deps, call, message, AbortSignal.any([call.signal, canceled.signal]))
  } finally {
    remove()
  }
}

async function speak(deps: Shared, call: Call, { json }: Message, signal: AbortSignal): Promise<void> {
  let failure: Error | null = null
  const handler = createMcpHandler(() => createMcpServer({ ...deps, call }), {
    responseMode: 'sse',
    // What could be listened to never changes.
    maxSubscriptions: 0,
    onerror: (error) => {
      failure = error
    },
  })
  const answered = await handler.fetch(toWebRequest(call.request, signal), { parsedBody: json })
  // Everything else that it reports is the caller's mistake, and told to the caller.
  if (answered.status === 500) throw failure ?? new Error('The protocol could not be spoken.')
  await sendWebResponse(answered, call.response, deps.stallMs)
}

function wrongMethod(): CallRefusedError {
  const message = 'Messages are sent with POST. There is no session to listen to or to end.'
  return new CallRefusedError('METHOD_NOT_ALLOWED', message, { allow: 'POST' })
}

function refuse({ readFailure }: McpDoorDeps, response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy()
  const failure = readFailure(error)
  const { message, ...data } = describeFailure(failure)
  sendRpcRefusal(response, { ...failure, message, data })
}

function refuseEntry(response: ServerResponse, { status, code, message, headers = {} }: Failure): void {
  sendRpcRefusal(response, { status, message, headers, data: { code } })
}

function toId(value: unknown): string | number | null {
  return typeof value === 'string' || typeof value === 'number' ? value : null
}
