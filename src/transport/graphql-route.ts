import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Metrics } from '../metrics.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import { authenticateOrRefuse, headerCredentials } from './credentials.ts'
import { type EventStream, formatEvent, openEventStream } from './event-stream.ts'
import { type GraphiqlPage, wantsPage } from './graphiql-page.ts'
import type { GraphqlEngine } from './graphql-engine.ts'
import { presentError, presentResult } from './graphql-errors.ts'
import type { LargeBodies, LargeBody } from './large-bodies.ts'
import type { TransportLimits } from './limits.ts'
import { observeOperation } from './operation-metrics.ts'
import { createOperationScope, type OperationScope } from './operation-scope.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'
import { inviteBody, readBody } from './request-body.ts'
import type { RequestInfo } from './request-facts.ts'
import { headerOf } from './request-facts.ts'
import { sendError } from './response-headers.ts'
import type { Scheduler } from './scheduler.ts'
import type { Authenticate, OperationLimits } from './server-options.ts'
import type { ViewerWatch } from './viewer-watch.ts'

export type GraphqlRouteDeps = {
  readonly engine: GraphqlEngine
  /** null: switched off. */
  readonly page: GraphiqlPage | null
  readonly authenticate: Authenticate
  readonly rateLimits?: OperationLimits
  readonly largeBodies: LargeBodies
  readonly streams: ConnectionRegistry
  readonly watchViewer: ViewerWatch
  readonly scheduler: Scheduler
  readonly metrics: Metrics
  readonly limits: TransportLimits
}

export type GraphqlRoute = (
  request: IncomingMessage,
  response: ServerResponse,
  info: RequestInfo,
  search: string,
) => Promise<void>

/** Operations over HTTP, with single answers and event streams, and the page that a browser gets. */
export function createGraphqlRoute(deps: GraphqlRouteDeps): GraphqlRoute {
  const { limits } = deps
  return async (request, response, info, search) => {
    if (deps.page && wantsPage(request)) return deps.page.send(request, response)
    const scope = createOperationScope({
      transport: 'http',
      request: info,
      credentials: headerCredentials(info, headerOf(request, 'authorization')),
      lastEventId: headerOf(request, 'last-event-id'),
      viewer: null,
    })
    response.once('close', scope.abort)
    const large = deps.largeBodies.open()
    const maxBytes = isMultipart(request) ? limits.uploadBytes : limits.jsonBytes
    try {
      const permit = () => permitLargeBody(deps, request, response, scope, large)
      const body = await readBody(request, { openBytes: limits.bodyBytes, maxBytes, permit })
      if (body === null) return sendError(response, tooLarge(maxBytes))
      await answer(deps, request, response, scope, { body, search, release: large.leave })
    } finally {
      large.leave()
      scope.end()
    }
  }
}

/** A stranger makes us hold no more than a few words: who sends more says first who it is, and waits for its turn. */
async function permitLargeBody(
  deps: GraphqlRouteDeps,
  request: IncomingMessage,
  response: ServerResponse,
  scope: OperationScope,
  large: LargeBody,
): Promise<void> {
  scope.viewer ??= await authenticateOrRefuse(deps.authenticate, scope.credentials)
  await large.enter(scope.viewer.accountId)
  inviteBody(request, response, deps.limits.bodyBytes)
}

/** `release`: the body is no longer needed. */
type Incoming = { readonly body: Buffer<ArrayBuffer>; readonly search: string; release(): void }

async function answer(
  deps: GraphqlRouteDeps,
  request: IncomingMessage,
  response: ServerResponse,
  scope: OperationScope,
  { body, search, release }: Incoming,
): Promise<void> {
  const observed = observeOperation(deps.metrics, scope)
  const isHead = request.method === 'HEAD'
  const answered = await deps.engine.respond(
    {
      method: isHead ? 'GET' : (request.method ?? 'GET'),
      target: `/graphql${search}`,
      headers: plainHeaders(request),
      body: body.length === 0 ? null : isMultipart(request) ? body : body.toString('utf8'),
    },
    scope,
  )
  release()
  observed(answered.status)
  response.statusCode = answered.status
  answered.headers.forEach((value, name) => {
    response.setHeader(name, value)
  })
  const standings = scope.viewer ? await deps.rateLimits?.standing(scope.viewer) : undefined
  for (const [name, value] of Object.entries(rateLimitHeaders(standings ?? []))) response.setHeader(name, value)
  if (!scope.events) response.end(await answered.text())
  else if (isHead) await endUnread(scope, response)
  else await writeStream(deps, response, scope, scope.events)
}

const COMPLETE = 'event: complete\ndata:\n\n'

async function writeStream(
  deps: GraphqlRouteDeps,
  response: ServerResponse,
  scope: OperationScope,
  events: NonNullable<OperationScope['events']>,
): Promise<void> {
  const { requestId } = scope.request
  const presentation = { requestId, keepHttp: false }
  const stream = openEventStream({
    response,
    events,
    // Results are pulled one at a time, so the cursor of the one that was handed out last is of the one being written.
    format: (result) => formatEvent('next', presentResult(result, presentation), scope.stream.cursor),
    formatError: (error) => {
      const failed = { errors: [presentError(deps.engine.mask(error), presentation)] }
      return formatEvent('next', failed, null)
    },
    farewell: COMPLETE,
    scheduler: deps.scheduler,
    pingMs: deps.limits.pingMs,
    stallMs: deps.limits.stallMs,
  })
  const forget = register(deps, stream, response, scope)
  deps.metrics.streamEnded(await stream.done)
  forget()
}

function register(
  deps: GraphqlRouteDeps,
  stream: EventStream,
  response: ServerResponse,
  scope: OperationScope,
): () => void {
  const remove = deps.streams.add({ close: stream.end, terminate: () => response.destroy() })
  const unwatch = scope.viewer ? deps.watchViewer(scope.viewer, scope.credentials, stream.end) : () => undefined
  return () => {
    remove()
    unwatch()
  }
}

async function endUnread(scope: OperationScope, response: ServerResponse): Promise<void> {
  response.end()
  await scope.events?.return?.()
}

function isMultipart(request: IncomingMessage): boolean {
  return request.headers['content-type']?.toLowerCase().startsWith('multipart/') ?? false
}

function plainHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers[name] = value
  }
  return headers
}

function tooLarge(limitBytes: number) {
  return { status: 413, code: 'REQUEST_ENTITY_TOO_LARGE', message: `A request body has at most ${limitBytes} bytes.` }
}
