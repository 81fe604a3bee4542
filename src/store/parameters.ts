import type { CompiledQuery } from 'kysely'
import { RequestError } from '../errors.ts'

/**
 * Both databases take and give strings, nulls and safe integers, nothing else: SQLite cannot bind booleans or dates, a
 * fraction in a money column is a bug, and past 2^53 JavaScript rounds in silence. A text with NUL is in no database of
 * ours, since PostgreSQL holds none, so whoever asks for one (an id, a filter) is told so on both: BAD_USER_INPUT.
 */
export function assertParameters<R>(query: CompiledQuery<R>): CompiledQuery<R> {
  const { parameters } = query
  for (let index = 0; index < parameters.length; index++) {
    const value = parameters[index]
    if (typeof value === 'string' && value.includes('\0')) throw createNulRefusal()
    if (typeof value === 'string' || value === null || Number.isSafeInteger(value)) continue
    throw new TypeError(
      `Parameter ${index + 1} of ${parameters.length} is ${describe(value)}; the database takes strings, null and ` +
        `integers up to 2^53. Statement: ${query.sql}`,
    )
  }
  return query
}

function createNulRefusal(): RequestError {
  return new RequestError('BAD_USER_INPUT', 'No text of a request may hold the character NUL; one of them does.')
}

/** Never the value of a text: prompts and hashes go through here. */
function describe(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`
  if (value instanceof Date) return 'a Date'
  return value === undefined ? 'undefined' : `of type ${typeof value}`
}

/** An integer that was read. Throws when JavaScript would have rounded it. */
export function parseInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new UnsafeIntegerError()
  return value
}

/** A stored or computed integer lies beyond 2^53 and cannot be read without losing digits. */
export class UnsafeIntegerError extends RangeError {
  override readonly name = 'UnsafeIntegerError'
  constructor(column?: string) {
    super(`An integer beyond 2^53 was read${column ? ` in column ${column}` : ''}; it would have been rounded.`)
  }
}
