import type { CallToolResult } from '@modelcontextprotocol/server'
import type { CallFailure } from '../call-failures.ts'
import { toSnakeCase } from '../snake-case.ts'

export type ToolError = { readonly code: string; readonly message: string } & Readonly<Record<string, unknown>>

export function describeFailure({ code, message, details }: CallFailure): ToolError {
  const named = Object.entries(details).map(([name, value]) => [toSnakeCase(name), value])
  return { ...Object.fromEntries(named), code, message }
}

/** As text, where a model reads it. Structured content has the shape of a success, so there is none. */
export function toToolFailure(failure: CallFailure): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: JSON.stringify({ error: describeFailure(failure) }) }] }
}
