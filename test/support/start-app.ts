import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, createApp, type Overrides } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { AccountLimits } from '../../src/identity/accounts.ts'
import { createLogger } from '../../src/logger.ts'
import type { BillingMode } from '../../src/store/tables.ts'
import { createGraphqlClient, type GraphqlClient } from './graphql-client.ts'

export type TestApp = AsyncDisposable & {
  readonly app: App
  /** Of `/graphql`. */
  readonly url: string
  readonly wsUrl: string
  readonly origin: string
  readonly dataDir: string
  /** Without credentials: the local account, as long as no key was made. */
  readonly client: GraphqlClient
  clientOf(secret: string): GraphqlClient
}

export type StartOptions = Overrides & {
  /** Beside a temporary data directory, port 0 and no drain. */
  readonly env?: Readonly<Record<string, string>>
  /** Entries of a PICTOR_CATALOG file. */
  readonly models?: readonly object[]
  /** The same file's `providers`. */
  readonly engines?: readonly object[]
}

/** The whole server, as `main.ts` starts it, in this process on a free port; its data go when it is disposed. */
export async function startApp({ env = {}, models, engines, ...overrides }: StartOptions = {}): Promise<TestApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pictor-app-'))
  const hasCatalog = models !== undefined || engines !== undefined
  const catalog = hasCatalog ? { PICTOR_CATALOG: await writeCatalog(dataDir, models ?? [], engines) } : {}
  const given = { PORT: '0', PICTOR_DATA_DIR: dataDir, PICTOR_DRAIN_SECONDS: '0', ...catalog, ...env }
  const app = await createApp(readConfig(given), { logger: createLogger({ level: 'silent' }), ...overrides })
  await app.start()
  // With a PUBLIC_URL it calls itself by a name under which nobody answers here.
  const url = env.PUBLIC_URL === undefined ? app.url : `http://127.0.0.1:${app.port}/graphql`
  return {
    app,
    url,
    wsUrl: url.replace(/^http/, 'ws'),
    origin: new URL(url).origin,
    dataDir,
    client: createGraphqlClient({ url }),
    clientOf: (secret) => createGraphqlClient({ url, secret }),
    async [Symbol.asyncDispose]() {
      await app.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** A sandbox that costs something, so that money can be seen to move. */
export const PRICED_PAINTER = { id: 'sandbox/painter', prices: [{ unit: 'IMAGE', usd: '0.04' }] }

export async function writeCatalog(
  directory: string,
  models: readonly object[],
  providers: readonly object[] = [],
): Promise<string> {
  const path = join(directory, 'catalog.json')
  await writeFile(path, JSON.stringify({ models, providers }))
  return path
}

export type NewTestAccount = {
  readonly billing?: BillingMode
  readonly creditMicros?: number
  readonly limits?: Partial<AccountLimits>
  readonly scopes?: readonly string[]
  /** Decimal text. */
  readonly dailySpend?: string
}

export type TestAccount = { readonly accountId: string; readonly keyId: string; readonly secret: string }

/** An account with a key, as the operator makes them. */
export async function createTestAccount(app: App, given: NewTestAccount = {}): Promise<TestAccount> {
  const { billing = 'METERED', creditMicros = 0, limits = {}, scopes, dailySpend = null } = given
  const { accounts, apiKeys, ledger } = app.domain
  const { id: accountId } = await accounts.create({ name: 'Test', billing, limits })
  if (creditMicros > 0) {
    const grant = { accountId, amountMicros: creditMicros, note: null, now: Date.now() }
    await app.foundations.database.transact((trx) => ledger.grant(trx, grant))
  }
  const input = { name: 'test', scopes: scopes ?? ['generate', 'read', 'admin'], expiresAt: null, dailySpend }
  const { apiKey, secret } = await apiKeys.create(accountId, input, null)
  return { accountId, keyId: apiKey.id, secret }
}

/** Makes an account in the data directory of a server that is started later, in a process of its own. */
export async function prepareAccount(
  env: Readonly<Record<string, string>>,
  given: NewTestAccount,
): Promise<TestAccount> {
  const app = await createApp(readConfig({ ...env, PORT: '0' }), { logger: createLogger({ level: 'silent' }) })
  await app.start()
  const account = await createTestAccount(app, given)
  await app.stop()
  return account
}
