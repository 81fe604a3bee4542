import type { CallToolResult } from '@modelcontextprotocol/server'
import type { FieldProblem } from '../../errors.ts'
import type { CallFailure } from '../call-failures.ts'
import { toArgumentName, toArgumentPath } from './argument-names.ts'

export type ToolError = { readonly code: string; readonly message: string } & Readonly<Record<string, unknown>>

/** A failure in the names of arguments. Kept for itself: it stands in the text of a result, where a model reads it. */
export function describeFailure({ code, message, details }: CallFailure): ToolError {
  const fields = Array.isArray(details.fields) ? details.fields.map(renameField) : null
  const others = Object.entries(details).filter(([name]) => name !== 'fields')
  return {
    code,
    message: fields === null ? message : fields.map((field) => `${field.path}: ${field.message}`).join(' '),
    ...(fields === null ? {} : { fields }),
    ...Object.fromEntries(others.map(([name, value]) => [toArgumentName(name), value])),
  }
}

/** Without structured content: that has the shape of a success. */
export function toToolFailure(failure: CallFailure): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: JSON.stringify({ error: describeFailure(failure) }) }] }
}

function renameField(field: FieldProblem): FieldProblem {
  return { ...field, path: toArgumentPath(field.path) }
}
