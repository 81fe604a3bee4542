import type { Clock } from '../../src/clock.ts'
import { createSystemClock } from '../../src/clock.ts'
import { RequestError } from '../../src/errors.ts'
import { createIds } from '../../src/ids.ts'
import { createLogger } from '../../src/logger.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createHttpServer, type HttpServer } from '../../src/transport/http-server.ts'
import type { HttpServerOptions, TransportConfig } from '../../src/transport/server-options.ts'
import type { Viewer } from '../../src/viewer.ts'
import { createToyLog, type ToyLog } from './toy-log.ts'
import { createToySchema } from './toy-schema.ts'

export const TOY_VIEWER: Viewer = {
  accountId: 'acc_1',
  apiKeyId: 'key_1',
  tokenId: null,
  endUser: null,
  scopes: ['generate', 'read'],
  models: null,
  tokenMaxSpendMicros: null,
  keyDailySpendMicros: null,
  expiresAt: null,
}

export type ToyServer = {
  readonly server: HttpServer
  readonly url: string
  readonly wsUrl: string
  readonly port: number
  readonly log: ToyLog
  readonly logLines: readonly string[]
  /** By what follows `Bearer `; change it to revoke. */
  readonly viewers: Map<string, Viewer>
  /** POST of an operation with the key `good`. */
  post(body: object, headers?: Record<string, string>): Promise<Response>
  stop(): Promise<void>
}

export type ToyServerOptions = {
  readonly config?: Partial<TransportConfig>
  readonly overrides?: Partial<HttpServerOptions>
  readonly clock?: Clock
  /** What the field `slow` waits for. */
  readonly slow?: () => Promise<string>
}

/** The real transport on a free port of the loopback, over a toy schema. */
export async function startToyServer(options: ToyServerOptions = {}): Promise<ToyServer> {
  const log = createToyLog()
  const logLines: string[] = []
  const viewers = new Map([['good', TOY_VIEWER]])
  const server = createHttpServer({
    schema: createToySchema(),
    createContext: (request) => ({ ...request, log, slow: options.slow ?? (async () => 'done') }),
    authenticate: async ({ authorization }) => {
      const viewer = viewers.get(authorization?.replace(/^Bearer /, '') ?? 'nobody')
      if (!viewer) throw new RequestError('UNAUTHENTICATED', 'Authentication is required.')
      return viewer
    },
    routes: [],
    operations: { known: { find: () => undefined, has: () => false }, only: false },
    config: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: null,
      allowedOrigins: ['https://app.example.com'],
      allowedHosts: [],
      trustedProxies: [],
      loopbackOnly: false,
      graphiql: true,
      graphiqlTabs: [],
      introspection: true,
      metrics: 'local',
      ...options.config,
    },
    logger: createLogger({ level: 'debug', destination: { write: (line) => logLines.push(line) } }),
    metrics: createMetrics({ process: false }),
    clock: options.clock ?? createSystemClock(),
    ids: createIds(),
    random: Math.random,
    readiness: async () => 'ok',
    ...options.overrides,
  })
  const { url, port } = await server.start()
  return {
    server,
    url,
    wsUrl: url.replace('http', 'ws'),
    port,
    log,
    logLines,
    viewers,
    post: (body, headers = {}) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer good', ...headers },
        body: JSON.stringify(body),
      }),
    stop: () => server.stop({ graceMs: 0 }),
  }
}
