import type { Config } from '../config.ts'
import { createCostMeter } from '../graphql/complexity.ts'
import type { Context } from '../graphql/context.ts'
import { findImage } from '../store/image-store.ts'
import { isPassingFault } from '../store/passing-faults.ts'
import { createFailureReader } from '../transport/call-failures.ts'
import { createCallbackRoute } from '../transport/callback-route.ts'
import { createHttpServer, type HttpServer } from '../transport/http-server.ts'
import { createImageRoutes } from '../transport/image-routes.ts'
import type { TransportLimits } from '../transport/limits.ts'
import { createMcpDoor } from '../transport/mcp/mcp-door.ts'
import { createRestDoor } from '../transport/rest/rest-door.ts'
import type { ContextRequest } from '../transport/server-options.ts'
import type { Domain } from './domain.ts'
import type { Foundations } from './foundations.ts'
import { readGraphiqlTabs } from './graphiql-tabs.ts'
import { isLoopback } from './identity.ts'
import type { Operations } from './known-operations.ts'
import { readVersion } from './version.ts'

export type Doors = { readonly server: HttpServer }

/** How the world comes in. */
export function createDoors(
  config: Config,
  foundations: Foundations,
  domain: Domain,
  given: {
    readonly operations: Operations
    readonly limits?: Partial<TransportLimits>
    readonly random?: () => number
  },
): Doors {
  const { operations, limits = {}, random = Math.random } = given
  const { clock, ids, logger, metrics, database } = foundations
  const { generations, reader, watcher, models, images, uploads, retention, webhooks, currency } = domain
  const accounts = domain.accountService
  const services = { generations, reader, watcher, models, accounts, images, uploads, retention, webhooks, currency }
  const serveImage = createImageRoutes({
    ...domain,
    findImage: (id) => findImage(database.read, id),
    onError: (error) => logger.error({ error }, 'A picture could not be served'),
  })
  const readFailure = createFailureReader({ logger, ids, isPassingFault, toMoney: currency.toMoney })
  const server = createHttpServer({
    schema: operations.schema,
    createContext: (request: ContextRequest): Context => ({ ...request, services }),
    authenticate: domain.authenticate,
    rateLimits: domain.rateLimits,
    costOf: createCostMeter(),
    subscriptionsOf: async ({ accountId }) => (await domain.accounts.limitsOf(accountId)).subscriptions,
    operations,
    routes: [
      createCallbackRoute(domain.callbacks.receive),
      {
        prefix: '/images/',
        name: 'images',
        handle: (request, response) =>
          serveImage(request, response, new URL(request.url ?? '/', 'http://pictures.invalid')),
      },
    ],
    doors: [
      createRestDoor({ services, readFailure, clock }),
      createMcpDoor({ services, readFailure, ids, version: readVersion() }),
    ],
    config: {
      host: config.host,
      port: config.port,
      publicUrl: config.publicUrl,
      allowedOrigins: config.allowedOrigins,
      allowedHosts: config.allowedHosts,
      trustedProxies: config.trustedProxies,
      loopbackOnly: config.auth === 'auto' && isLoopback(config.host),
      // Nothing that one could type into it would run.
      graphiql: config.graphiql && !operations.only,
      graphiqlTabs: readGraphiqlTabs(),
      introspection: config.introspection,
      metrics: config.metrics,
      limits: { waitMs: config.waitMs, ...limits },
    },
    logger,
    metrics,
    clock,
    ids,
    random,
    isPassingFault,
    readiness: async () => {
      await Promise.all([database.check(), domain.storage.check()])
      return foundations.redis?.isUp() === false ? 'degraded' : 'ok'
    },
  })
  metrics.observeProviders((id) => domain.gate.health(id).state)
  metrics.observeQueue(async () => {
    const { waiting, oldestEnqueuedAt } = await domain.queue.state()
    const ageMs = oldestEnqueuedAt === null ? 0 : clock.now() - oldestEnqueuedAt
    return { depth: waiting, oldestAgeSeconds: Math.max(0, ageMs / 1000) }
  })
  return { server }
}
