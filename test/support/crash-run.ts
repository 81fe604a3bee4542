import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { createResumingClient } from '../../examples/resume-subscription.ts'
import { type App, createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { assertInvariantsOf } from './data-directory.ts'
import { createGraphqlClient, type GraphqlClient } from './graphql-client.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { createShopper, type Shopper } from './shopper.ts'

/** What a client does in one run, and what must be true of what it saw when it is over. */
export type Scenario<Seen> = {
  play(shop: Shop): Promise<Seen>
  /** With another server, up on what the first one has left. */
  check(seen: Seen, shop: Shop): Promise<void>
}

export type Shop = { readonly shopper: Shopper; readonly client: GraphqlClient; readonly dataDir: string }

export type CrashRun = {
  readonly env: Readonly<Record<string, string>>
  /** A data directory to begin with, which stays as it is. */
  readonly template: string
  readonly secret: string
}

/**
 * One run in which the server ends itself at its `point`-th point and another one takes over what it leaves, while the
 * client goes on asking. Answers with where it crashed; undefined: it came to its end undisturbed.
 */
export async function runWithCrash<Seen>(
  run: CrashRun,
  scenario: Scenario<Seen>,
  point: number,
): Promise<{ readonly passed: number | undefined }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pictor-crash-'))
  await cp(run.template, dataDir, { recursive: true })
  const env = { ...run.env, PICTOR_DATA_DIR: dataDir, PICTOR_DRAIN_SECONDS: '0' }
  await using server = await startServerProcess(env, { script: './crash-server.ts', args: [String(point)] })
  const heir = createHeir(server, env)
  const client = createGraphqlClient({ url: server.url, secret: run.secret })
  const { whenUp } = heir
  const options = { url: server.wsUrl, token: () => run.secret, webSocketImpl: WebSocket, retryWait: whenUp }
  const socket = createResumingClient(options)
  const shop = { client, dataDir, shopper: createShopper({ client, socket, whenUp, onEvent: () => undefined }) }
  const seen = await scenario.play(shop)
  const passed = await heir.takeOver()
  await scenario.check(seen, shop)
  await socket.dispose()
  await heir.stop()
  await assertInvariantsOf(dataDir)
  await rm(dataDir, { recursive: true, force: true })
  return { passed }
}

/** Takes over when the server has ended itself: on the same port and data, in this process. */
function createHeir(server: ServerProcess, env: Readonly<Record<string, string>>) {
  let up: Promise<unknown> = Promise.resolve()
  let heir: Promise<App> | undefined
  server.crashed.catch(() => void inherit())

  function inherit(): Promise<App> {
    heir ??= start()
    up = heir
    return heir
  }

  async function start(): Promise<App> {
    const config = readConfig({ ...env, PORT: String(server.port) })
    const app = await createApp(config, { logger: createLogger({ level: 'silent' }) })
    await app.start()
    return app
  }

  return {
    whenUp: async () => void (await up),
    /** How many points the server passed that came to its end; undefined: it did not. */
    async takeOver(): Promise<number | undefined> {
      const code = await server.kill('SIGTERM')
      await inherit()
      return code === 0 ? JSON.parse(server.lines.at(-1) ?? '').passed : undefined
    },
    stop: async () => (await inherit()).stop(),
  }
}
