import type SqliteConnection from 'better-sqlite3'
import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  DummyDriver,
  Kysely,
  type KyselyPlugin,
  type KyselyProps,
  type QueryExecutor,
  type QueryResult,
  SqliteDialect,
  Transaction,
} from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Db, Trx } from './handles.ts'
import { assertParameters, UnsafeIntegerError } from './parameters.ts'
import type { Tables } from './tables.ts'

/** Kysely's own driver prepares every statement anew; the application has a few hundred distinct ones. */
const PREPARED_STATEMENTS = 1000

/** Kysely objects whose statements run on one SQLite connection, at once and in the order of the calls. */
export type SqliteSession = {
  readonly db: Db
  /** A transaction object; `assertUsable` throws when a statement may not run any more. */
  createTransaction(assertUsable: () => void): Trx
}

/**
 * Statements are synchronous, so Kysely's way through connection provider, mutex and driver would only add turns of
 * the microtask queue: this hands each compiled query straight to the prepared statement.
 */
export function createSqliteSession(connection: SqliteConnection.Database): SqliteSession {
  const dialect = new SqliteDialect({ database: connection })
  const run = createRunner(connection)
  const props = (execute: Execute): KyselyProps => ({
    config: { dialect },
    driver: new DummyDriver(),
    dialect,
    executor: createExecutor(dialect, execute),
  })
  return {
    db: new Kysely<Tables>(props(run)),
    createTransaction: (assertUsable) =>
      new Transaction<Tables>(
        props((query) => {
          assertUsable()
          return run(query)
        }),
      ),
  }
}

type Execute = <R>(query: CompiledQuery<R>) => QueryResult<R>

function createRunner(connection: SqliteConnection.Database): Execute {
  const statements = new LRUCache<string, SqliteConnection.Statement>({ max: PREPARED_STATEMENTS })

  function prepare(sql: string): SqliteConnection.Statement {
    const statement = connection.prepare(sql)
    statements.set(sql, statement)
    return statement
  }

  return <R>(query: CompiledQuery<R>): QueryResult<R> => {
    assertParameters(query)
    const statement = statements.get(query.sql) ?? prepare(query.sql)
    if (statement.reader) return { rows: assertSafeIntegers(statement.all(query.parameters)) as R[] }
    const { changes, lastInsertRowid } = statement.run(query.parameters)
    return { insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes), rows: [] }
  }
}

/**
 * better-sqlite3 hands an integer past 2^53 over as the nearest double, which lies past 2^53 too: a comparison finds
 * it at a fraction of what its BigInt mode costs. No column holds fractions, so nothing else is ever that large.
 */
function assertSafeIntegers(rows: unknown[]): unknown[] {
  for (const row of rows as Record<string, unknown>[]) {
    for (const column in row) {
      const value = row[column]
      if (typeof value === 'number' && (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)) {
        throw new UnsafeIntegerError(column)
      }
    }
  }
  return rows
}

function createExecutor(dialect: SqliteDialect, execute: Execute): QueryExecutor {
  const compiler = dialect.createQueryCompiler()
  const adapter = dialect.createAdapter()
  const connection: DatabaseConnection = {
    executeQuery: async <R>(query: CompiledQuery) => execute(query as CompiledQuery<R>),
    streamQuery: refuseStream,
  }
  const provideConnection: QueryExecutor['provideConnection'] = (consumer) => consumer(connection)
  const withPlugins = (plugins: readonly KyselyPlugin[]) =>
    new DefaultQueryExecutor(compiler, adapter, { provideConnection }, [...plugins])

  const executor: QueryExecutor = {
    adapter,
    plugins: [],
    transformQuery: (node) => node,
    compileQuery: <R>(...query: Parameters<QueryExecutor['compileQuery']>) =>
      compiler.compileQuery(...query) as CompiledQuery<R>,
    executeQuery: async <R>(query: CompiledQuery<R>) => execute(query),
    stream: refuseStream,
    provideConnection,
    withConnectionProvider: () => executor,
    withPlugin: (plugin) => withPlugins([plugin]),
    withPluginAtFront: (plugin) => withPlugins([plugin]),
    withPlugins,
    withoutPlugins: () => executor,
  }
  return executor
}

function refuseStream(): never {
  throw new Error('Rows are not streamed from the database; read them in pages.')
}
