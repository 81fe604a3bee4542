import { type Config, readConfig } from '../config.ts'
import { createLogger } from '../logger.ts'
import { DatabaseInUseError } from '../store/store-errors.ts'
import { type Api, type ApiTarget, createApi } from './api.ts'
import { CommandError } from './command-error.ts'
import type { CommandContext } from './context.ts'
import { findRunningServer } from './running-server.ts'

export type ConnectionOptions = {
  readonly url?: string | undefined
  readonly key?: string | undefined
}

/** `worker`: a server of our own would have to make pictures. `server`: only one that is there already will do. */
export type ConnectionNeeds = 'api' | 'worker' | 'server'

const LOCK_POLL_MS = 200
const LOCK_PATIENCE_MS = 120_000

/**
 * The server that was named; else the one that runs on this data directory or where the configuration says; else one in
 * this process, on a free port of the loopback, for as long as the command runs.
 */
export async function withApi<T>(
  context: CommandContext,
  options: ConnectionOptions,
  needs: ConnectionNeeds,
  work: (api: Api) => Promise<T>,
): Promise<T> {
  const api = await connect(context, options, needs)
  try {
    return await work(api)
  } finally {
    await api.close()
  }
}

async function connect(context: CommandContext, options: ConnectionOptions, needs: ConnectionNeeds): Promise<Api> {
  const { environment, output, clock } = context
  const deadline = clock.now() + LOCK_PATIENCE_MS
  for (let isFirst = true; ; isFirst = false) {
    const target = await findTarget(context, options)
    if (target !== undefined) return createApi(target)
    if (needs === 'server') throw noServer()
    const config = readConfig(environment)
    const key = readKey(context, options)
    try {
      return await startOwnServer(config, { key, needs })
    } catch (error) {
      if (!(error instanceof DatabaseInUseError) || clock.now() >= deadline) throw error
    }
    // A server that is about to be ready, or another command with a server of its own: either is over soon.
    if (isFirst) output.note(`Another Pictor is using ${config.dataDir}; waiting for it to answer or to end.`)
    await clock.sleep(LOCK_POLL_MS)
  }
}

/** The server that was named, whether or not it answers; else one that runs here; undefined: none does. */
export async function findTarget(context: CommandContext, options: ConnectionOptions): Promise<ApiTarget | undefined> {
  const { environment } = context
  const key = readKey(context, options)
  const named = options.url || environment.PICTOR_URL || undefined
  const url = named === undefined ? await findRunningServer(readConfig(environment)) : graphqlUrl(named)
  return url === undefined ? undefined : { url, key }
}

export function noServer(): CommandError {
  return new CommandError(2, 'No server runs. Start one with: npm start')
}

function readKey({ environment }: CommandContext, { key }: ConnectionOptions): string | undefined {
  return key || environment.PICTOR_KEY || undefined
}

/** Loaded only when it is needed: a command that talks to a server need not load one. */
async function startOwnServer(
  config: Config,
  { key, needs }: { key: string | undefined; needs: ConnectionNeeds },
): Promise<Api> {
  const { createApp } = await import('../app.ts')
  const own: Config = {
    ...config,
    host: '127.0.0.1',
    port: 0,
    publicUrl: null,
    roles: needs === 'worker' ? ['api', 'worker'] : ['api'],
    graphiql: false,
  }
  const app = await createApp(own, { logger: createLogger({ level: 'silent' }), exclusive: needs === 'worker' })
  try {
    await app.start()
  } catch (error) {
    await app.stop()
    throw error
  }
  return createApi({ url: app.url, key }, () => app.stop())
}

/** The address of a server will do: `/graphql` is added where there is no path. */
export function graphqlUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new CommandError(
      2,
      `"${text}" is no address of a server; write something like http://127.0.0.1:4000/graphql.`,
    )
  }
  if (url.pathname === '/') url.pathname = '/graphql'
  return url.href
}
