import type { ServerResponse } from 'node:http'
import { RequestError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import type { Viewer } from '../viewer.ts'
import type { Call, CallDesk, Exchange, Hold, HoldOptions } from './call.ts'
import { CallRefusedError } from './call-failures.ts'
import { openHold } from './call-hold.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import { authenticateOrRefuse, headerCredentials } from './credentials.ts'
import { type EventSource, openEventStream, STREAM_HEADERS, type StreamEnd } from './event-stream.ts'
import { answerJson } from './json-answer.ts'
import type { LargeBodies, LargeBody } from './large-bodies.ts'
import type { TransportLimits } from './limits.ts'
import { createPictureTurns, type TakeTurn } from './picture-turns.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'
import { inviteBody, readBody } from './request-body.ts'
import { headerOf } from './request-facts.ts'
import type { Scheduler } from './scheduler.ts'
import type { Authenticate, Credentials, OperationLimits } from './server-options.ts'
import type { SubscriptionPlaces } from './subscription-places.ts'
import type { ViewerWatch } from './viewer-watch.ts'

export type CallDeskDeps = {
  readonly authenticate: Authenticate
  readonly rateLimits?: OperationLimits
  readonly places: SubscriptionPlaces
  readonly largeBodies: LargeBodies
  readonly streams: ConnectionRegistry
  readonly watchViewer: ViewerWatch
  readonly scheduler: Scheduler
  readonly metrics: Metrics
  readonly limits: TransportLimits
}

export function createCallDesk(given: CallDeskDeps): CallDesk {
  const deps = { ...given, takeTurn: createPictureTurns(given.limits) }
  return {
    limits: deps.limits,
    async serve(exchange, run) {
      const { response, info, request } = exchange
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      const credentials = headerCredentials(info, headerOf(request, 'authorization'))
      const viewer = await authenticateOrRefuse(deps.authenticate, credentials)
      const large = deps.largeBodies.open()
      const call = createCall(deps, { exchange, viewer, credentials, large, signal: gone.signal })
      try {
        await deps.rateLimits?.countOperation(viewer)
        await run(call)
      } catch (error) {
        if (!response.headersSent) await call.setLimitHeaders()
        throw error
      } finally {
        large.leave()
      }
    },
  }
}

type OpenCall = {
  readonly exchange: Exchange
  readonly viewer: Viewer
  readonly credentials: Credentials
  readonly large: LargeBody
  readonly signal: AbortSignal
}

function createCall(deps: CallDeskDeps & { readonly takeTurn: TakeTurn }, open: OpenCall): Call {
  const { exchange, viewer, large, signal } = open
  const { request, response } = exchange
  const setLimitHeaders = async () => {
    const standings = (await deps.rateLimits?.standing(viewer)) ?? []
    for (const [name, value] of Object.entries(rateLimitHeaders(standings))) response.setHeader(name, value)
  }
  return {
    ...exchange,
    viewer,
    signal,
    async readBody(maxBytes) {
      const permit = async () => {
        await large.enter(viewer.accountId)
        inviteBody(request, response, deps.limits.bodyBytes)
      }
      const body = await readBody(request, { openBytes: deps.limits.bodyBytes, maxBytes, permit })
      if (body !== null) return body
      throw new CallRefusedError('REQUEST_ENTITY_TOO_LARGE', `A request body has at most ${maxBytes} bytes.`)
    },
    releaseBody: large.leave,
    inTime: (work) => settleInTime(deps, work),
    setLimitHeaders,
    async answer(status, body) {
      await setLimitHeaders()
      await answerJson({ response, scheduler: deps.scheduler, stallMs: deps.limits.stallMs }, status, body)
    },
    hold: (options) => takeHold(deps, open, options),
    holdPictures: () => deps.takeTurn(open),
    writeEvents: (source) => writeEvents(deps, response, source),
  }
}

function settleInTime<Result>({ scheduler, limits }: CallDeskDeps, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(limits.executionMs, () => {
      const message = 'The call took too long. What it began may still be completed.'
      reject(new RequestError('UNAVAILABLE', message))
    })
    work.then(resolve, reject).finally(cancel)
  })
}

async function writeEvents<Item>(
  { scheduler, metrics, limits }: CallDeskDeps,
  response: ServerResponse,
  source: EventSource<Item>,
): Promise<StreamEnd> {
  response.writeHead(200, STREAM_HEADERS)
  const how = await openEventStream({ ...source, response, scheduler, ...limits }).done
  metrics.streamEnded(how)
  return how
}

async function takeHold(deps: CallDeskDeps, open: OpenCall, options: HoldOptions): Promise<Hold> {
  const leave = await deps.places.take(open.viewer, options.transport)
  if (leave === null) throw new RequestError('RATE_LIMITED', 'The account has too many subscriptions open.')
  return openHold(deps, { ...open, response: open.exchange.response, limitMs: options.limitMs, leave })
}
