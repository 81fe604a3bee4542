import { SdkHttpError } from '@modelcontextprotocol/client'
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type ApiTarget, explainKey, explainUnreachable } from './api.ts'
import { CommandError } from './command-error.ts'

/** Of the range that JSON-RPC leaves to servers. */
const SERVER_ERROR = -32000

export const LOST = new CommandError(
  1,
  'The connection to the server was lost before it answered. What was begun goes on: call again, generate_image with the same idempotency_key.',
)

/** Of an answer that is no success, as the server's door for this protocol writes it. */
const Refusal = z.object({ error: z.object({ message: z.string() }) })

/** What whoever asked can do about it. `target`: where it was asked for; undefined: there was none. */
export function explainFailure(error: unknown, target: ApiTarget | undefined): Error {
  if (error instanceof SdkHttpError && target) return explainStatus(error, target)
  if (error instanceof TypeError && target) return explainUnreachable(error, target.url)
  return error instanceof Error ? error : new Error(String(error))
}

function explainStatus({ data }: SdkHttpError, target: ApiTarget): CommandError {
  if (data.status === 401) return new CommandError(1, explainKey(target))
  const refusal = readRefusal(data.text)
  if (refusal !== null) return new CommandError(1, refusal)
  return new CommandError(1, `${target.url} does not answer like a Pictor (HTTP ${data.status}). Look at --url.`)
}

function readRefusal(text: unknown): string | null {
  try {
    return Refusal.parse(JSON.parse(String(text))).error.message
  } catch {
    return null
  }
}

/** A tool's caller is a model, which reads results; whatever else is asked gets an error of the protocol. */
export function answerFailure({ id, method }: JSONRPCRequest, message: string): JSONRPCMessage {
  if (method !== 'tools/call') return { jsonrpc: '2.0', id, error: { code: SERVER_ERROR, message } }
  return { jsonrpc: '2.0', id, result: { isError: true, content: [{ type: 'text', text: message }] } }
}
