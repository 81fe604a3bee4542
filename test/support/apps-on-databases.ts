import { inject } from 'vitest'
import { makePostgresPlace } from './databases.ts'
import { type StartOptions, startApp, type TestApp } from './start-app.ts'

export type AppsOnDatabases = AsyncDisposable & {
  /** On SQLite, and on PostgreSQL where there is one. */
  readonly apps: readonly { readonly database: 'SQLite' | 'PostgreSQL'; readonly app: TestApp }[]
}

/** One server on each database: what a text does to the one it need not do to the other. */
export async function startAppsOnDatabases(options: StartOptions = {}): Promise<AppsOnDatabases> {
  const onSqlite = await startApp(options)
  if (inject('obstacles').postgres) {
    return {
      apps: [{ database: 'SQLite', app: onSqlite }],
      [Symbol.asyncDispose]: () => onSqlite[Symbol.asyncDispose](),
    }
  }
  const place = await makePostgresPlace()
  const onPostgres = await startApp({ ...options, env: { ...options.env, DATABASE_URL: place.url } })
  return {
    apps: [
      { database: 'SQLite', app: onSqlite },
      { database: 'PostgreSQL', app: onPostgres },
    ],
    async [Symbol.asyncDispose]() {
      await Promise.all([onSqlite[Symbol.asyncDispose](), onPostgres[Symbol.asyncDispose]()])
      await place.remove()
    },
  }
}
