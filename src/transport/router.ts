import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { createClientAddress } from './client-address.ts'
import { wantsPage } from './graphiql-page.ts'
import type { GraphqlEngine } from './graphql-engine.ts'
import { httpOfError } from './graphql-errors.ts'
import type { GraphqlRoute } from './graphql-route.ts'
import type { HostGuard, HostRefusal } from './host-guard.ts'
import { answerHealth, answerMetrics, answerReadiness } from './operator-routes.ts'
import type { RequestInfo } from './request-facts.ts'
import { parseTarget, readRequestInfo } from './request-facts.ts'
import { applyCors, SECURITY_HEADERS, sendError, setSecurityHeaders } from './response-headers.ts'
import type { HttpServerOptions, Route } from './server-options.ts'
import type { WebSocketDoor } from './websocket-door.ts'

export type RouterDeps = {
  readonly options: HttpServerOptions
  readonly routes: readonly Route[]
  readonly guard: HostGuard
  readonly engine: GraphqlEngine
  readonly graphql: GraphqlRoute
  readonly door: WebSocketDoor
  isDraining(): boolean
}

export type Router = {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

type Exchange = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly info: RequestInfo
  readonly search: string
}

type Handler = Pick<Route, 'name' | 'refuse' | 'refusesPages'> & { run(exchange: Exchange): Promise<void> | void }

/** From path to handler. Guards stand here, before any of them: a handler sees only requests that may come in. */
export function createRouter(deps: RouterDeps): Router {
  const { options, guard } = deps
  const { metrics, logger, clock, ids } = options
  const facts = { ids, clientAddress: createClientAddress({ ...options.config, logger }) }
  const fixed = fixedRoutes(deps)
  const prefixed = deps.routes.map((route) => ({ prefix: route.prefix, handler: toHandler(route) }))

  function find(pathname: string): Handler {
    return fixed[pathname] ?? prefixed.find(({ prefix }) => leadsTo(prefix, pathname))?.handler ?? NOT_FOUND
  }

  return {
    async handle(request, response) {
      const startedAt = clock.now()
      const info = readRequestInfo(request, facts)
      const target = parseTarget(request.url)
      const handler = target ? find(target.pathname) : NOT_FOUND
      setSecurityHeaders(response, info.requestId)
      if (deps.isDraining()) response.setHeader('connection', 'close')
      response.once('close', () => {
        const { method = '' } = request
        const durationMs = clock.now() - startedAt
        metrics.httpRequest(handler.name, method, response.statusCode, durationMs / 1000)
        const fields = {
          requestId: info.requestId,
          method,
          route: handler.name,
          status: response.statusCode,
          durationMs,
        }
        logger.debug(fields, 'A request was answered.')
      })
      try {
        const refused = PUBLIC_ROUTES.has(handler.name) ? null : checkEntry(handler, guard, info)
        if (refused) return (handler.refuse ?? sendError)(response, { ...refused, code: 'FORBIDDEN' })
        if (applyCors(request, response, guard)) return
        await handler.run({ request, response, info, search: target?.search ?? '' })
      } catch (error) {
        fail(deps.engine, request, response, error)
      }
    },
    upgrade(request, socket, head) {
      socket.on('error', ignore)
      const info = readRequestInfo(request, facts)
      const refused = guard.check(info)
      if (refused) return refuseUpgrade(socket, refused.status)
      if (!guard.allowsOrigin(info)) return refuseUpgrade(socket, 403)
      if (parseTarget(request.url)?.pathname !== '/graphql') return refuseUpgrade(socket, 404)
      if (deps.isDraining()) return refuseUpgrade(socket, 503)
      deps.door.upgrade(request, socket, head, info)
    },
  }
}

function checkEntry({ refusesPages }: Handler, guard: HostGuard, info: RequestInfo): HostRefusal | null {
  return refusesPages ? guard.checkPage(info) : guard.check(info)
}

/** Probes come under whatever name or address the machine has, and learn one word. */
const PUBLIC_ROUTES = new Set(['healthz', 'readyz'])

const NOT_FOUND: Handler = {
  name: 'none',
  run: ({ response }) => sendError(response, { status: 404, code: 'NOT_FOUND', message: 'Nothing answers here.' }),
}

function fixedRoutes(deps: RouterDeps): Readonly<Record<string, Handler>> {
  const { options } = deps
  const graphql: Handler = {
    name: 'graphql',
    run: ({ request, response, info, search }) => deps.graphql(request, response, info, search),
  }
  return Object.assign(Object.create(null), {
    '/graphql': graphql,
    '/graphql/': graphql,
    '/healthz': { name: 'healthz', run: ({ response }: Exchange) => answerHealth(response) },
    '/readyz': {
      name: 'readyz',
      run: ({ response }: Exchange) => answerReadiness(response, { ...options, draining: deps.isDraining() }),
    },
    '/metrics': {
      name: 'metrics',
      run: (exchange: Exchange) =>
        options.config.metrics === 'off' ? NOT_FOUND.run(exchange) : answerMetrics(exchange, options),
    },
    '/': { name: 'root', run: answerRoot },
  })
}

function answerRoot(exchange: Exchange): void | Promise<void> {
  if (!wantsPage(exchange.request)) return NOT_FOUND.run(exchange)
  exchange.response.writeHead(302, { location: '/graphql' }).end()
}

function toHandler(route: Route): Handler {
  return { ...route, run: ({ request, response, info }) => route.handle(request, response, info) }
}

function leadsTo(prefix: string, pathname: string): boolean {
  return prefix.endsWith('/') ? pathname.startsWith(prefix) : pathname === prefix
}

function fail(engine: GraphqlEngine, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed || request.errored) return
  const masked = engine.mask(error)
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { http: _, code, ...extensions } = masked.extensions
  sendError(response, { ...httpOfError(masked), code: String(code), message: masked.message, extensions })
}

function refuseUpgrade(socket: Duplex, status: number): void {
  const headers = { ...SECURITY_HEADERS, connection: 'close', 'content-length': '0' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`)
}

function ignore(): void {}
