import type { CallDesk } from './call.ts'
import { createCallDesk } from './call-desk.ts'
import { createConnectionRegistry } from './connection-registry.ts'
import { createGraphiqlPage } from './graphiql-page.ts'
import { createGraphqlEngine } from './graphql-engine.ts'
import { createGraphqlRoute } from './graphql-route.ts'
import { createHostGuard } from './host-guard.ts'
import { createLargeBodies } from './large-bodies.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { createListener } from './listener.ts'
import { createRouter } from './router.ts'
import { createScheduler } from './scheduler.ts'
import type { HttpServerOptions, Route, TransportConfig } from './server-options.ts'
import { createSubscriptionPlaces } from './subscription-places.ts'
import { createViewerWatch } from './viewer-watch.ts'
import { createWebSocketDoor } from './websocket-door.ts'

export type HttpServer = {
  /** Resolves when connections are taken. `url` is that of `/graphql`, with the real port. */
  start(): Promise<{ readonly url: string; readonly port: number }>
  /**
   * Readiness fails at once and, for `readinessMs`, alone, so that a load balancer looks away. Then no more connections
   * are taken, sockets and streams are closed in batches, requests are let end, and what is left after `graceMs` is cut.
   */
  stop(options: { readonly graceMs: number; readonly readinessMs?: number }): Promise<void>
  openSockets(): number
  openStreams(): number
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { config, clock } = options
  let port = config.port
  let draining = false
  const limits = { ...DEFAULT_LIMITS, ...config.limits }
  const scheduler = createScheduler(options)
  const guard = createHostGuard({ ...config, port: () => port })
  const places = createSubscriptionPlaces({ ...options, limits })
  const engine = createGraphqlEngine({ options, limits, guard, places, scheduler })
  const sockets = createConnectionRegistry(options)
  const streams = createConnectionRegistry(options)
  const watchViewer = createViewerWatch({ ...options, scheduler, reauthenticateMs: limits.reauthenticateMs })
  const largeBodies = createLargeBodies({
    atOnce: limits.largeBodies,
    perAccount: limits.largeBodiesPerAccount,
    waiting: limits.largeBodiesWaiting,
  })
  const page = config.graphiql ? createGraphiqlPage(config.graphiqlTabs) : null
  const shared = { ...options, engine, limits, scheduler, watchViewer, sockets, streams, largeBodies, places }
  const router = createRouter({
    options,
    routes: listRoutes(options, createCallDesk(shared)),
    guard,
    engine,
    graphql: createGraphqlRoute({ ...shared, page }),
    door: createWebSocketDoor(shared),
    isDraining: () => draining,
  })
  const listener = createListener({
    limits,
    clock,
    onRequest: (request, response) => void router.handle(request, response),
    onUpgrade: router.upgrade,
  })

  return {
    async start() {
      port = await listener.listen(config.host, config.port)
      scheduler.start()
      return { url: `${baseUrl(config, port)}/graphql`, port }
    },
    async stop({ graceMs, readinessMs = 0 }) {
      draining = true
      if (readinessMs > 0) await clock.sleep(readinessMs)
      await Promise.all([listener.close(graceMs), sockets.drain(graceMs), streams.drain(graceMs)])
      scheduler.stop()
    },
    openSockets: sockets.size,
    openStreams: streams.size,
  }
}

function listRoutes({ routes, doors = [] }: HttpServerOptions, desk: CallDesk): readonly Route[] {
  return [...routes, ...doors.map((open) => open(desk))]
}

function baseUrl(config: TransportConfig, port: number): string {
  if (config.publicUrl !== null) return config.publicUrl.replace(/\/+$/, '')
  const isWildcard = config.host === '0.0.0.0' || config.host === '::'
  const host = isWildcard ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host
  return `http://${host}:${port}`
}
