import pg from 'pg'
import type { Logger } from '../logger.ts'
import { parseInteger } from './parameters.ts'
import { DatabaseRefusedError } from './store-errors.ts'

const STATEMENT_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_MS = 10_000
const CONNECTIONS = 10

/** @param url `postgres://…`, with `?schema=<name>` for one other than the server's default */
export function createPostgresPool(url: string, limitMs: number, logger: Logger | undefined): pg.Pool {
  const { connectionString, settings } = splitSettings(url)
  const pool = new pg.Pool({
    connectionString,
    max: CONNECTIONS,
    application_name: 'pictor',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // Frees the locks of a process that hangs; one that runs rolls back by itself long before.
    idle_in_transaction_session_timeout: 2 * limitMs,
    types: { getTypeParser },
    options: settings,
  })
  // A connection that breaks says so here when it is idle and on the client when it is in use; without a listener each
  // of the two would end the process. Whoever uses the connection gets its error from the next statement too.
  const report = (error: Error) => logger?.warn({ err: error }, 'lost a connection to PostgreSQL')
  pool.on('error', report)
  pool.on('connect', (client) => client.on('error', report))
  return pool
}

/** The schema becomes a setting of the session, beside those that the URL itself may name in `options`. */
function splitSettings(text: string): { connectionString: string; settings: string } {
  const url = new URL(text)
  const settings = url.searchParams.getAll('options')
  const schema = url.searchParams.get('schema')
  if (schema !== null) {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
      throw new DatabaseRefusedError('The schema in DATABASE_URL is not a plain name of lower-case letters and digits.')
    }
    settings.push(`-c search_path=${schema}`)
  }
  url.searchParams.delete('options')
  url.searchParams.delete('schema')
  return { connectionString: url.href, settings: settings.join(' ') }
}

/** Numbers as SQLite gives them: of this pool alone, since pg's own parsers belong to the whole process. */
const getTypeParser = ((oid: number, format?: 'text' | 'binary') => {
  if (format === 'binary') return pg.types.getTypeParser(oid, format)
  if (oid === pg.types.builtins.INT8) return parseInteger
  if (oid === pg.types.builtins.NUMERIC) return parseNumeric
  return pg.types.getTypeParser(oid, format ?? 'text')
}) as typeof pg.types.getTypeParser

/** A sum of bigints is a numeric, and so is an average: the one must be exact, the other has a fraction. */
function parseNumeric(text: string): number {
  return text.includes('.') ? Number(text) : parseInteger(text)
}
