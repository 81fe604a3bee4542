import { type ExecutionArgs, GraphQLError } from 'graphql'
import { CloseCode, type SubscribePayload } from 'graphql-ws'
import type { WebSocket } from 'ws'
import { toGraphQLError } from '../graphql/errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Viewer } from '../viewer.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import { authenticateOrRefuse, isUnauthenticated } from './credentials.ts'
import { presentError, refusal } from './graphql-errors.ts'
import type { TransportLimits } from './limits.ts'
import type { RequestInfo } from './request-facts.ts'
import type { Cancel, Scheduler } from './scheduler.ts'
import type { Authenticate, Credentials } from './server-options.ts'
import type { ViewerWatch } from './viewer-watch.ts'
import type { SocketOperations } from './websocket-operations.ts'

const SERVICE_RESTART = 1012

export type SocketSessionDeps = {
  readonly socket: WebSocket
  readonly request: RequestInfo
  /** Of the opening request: only programs outside browsers can send one. */
  readonly headerAuthorization: string | null
  readonly operations: SocketOperations
  readonly authenticate: Authenticate
  readonly sockets: ConnectionRegistry
  readonly watchViewer: ViewerWatch
  readonly scheduler: Scheduler
  readonly limits: TransportLimits
  readonly logger: Logger
  readonly metrics: Metrics
}

/** One open socket: who is behind it, what runs on it, and what ends it. */
export type SocketSession = {
  readonly request: RequestInfo
  readonly headerAuthorization: string | null
  /** The first message is there, so the time for it no longer runs. */
  initialised(): void
  begin(viewer: Viewer, credentials: Credentials): void
  subscribe(payload: SubscribePayload): Promise<ExecutionArgs | readonly GraphQLError[]>
  close(code: number, reason: string): void
  /** Call it once, when the socket has closed. */
  closed(code: number): void
}

export function createSocketSession(deps: SocketSessionDeps): SocketSession {
  const { socket, request, headerAuthorization, operations, scheduler, limits, metrics } = deps
  let caller: { readonly viewer: Viewer; readonly credentials: Credentials } | null = null
  let isClosed = false
  let operationCount = 0
  let unwatch: Cancel = () => undefined
  const stopPings = keepAlive(socket, scheduler, limits.pingMs)
  const cancelInitLimit = scheduler.after(limits.initMs, () =>
    socket.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout'),
  )
  const forget = deps.sockets.add({
    close: () => socket.close(SERVICE_RESTART, 'Service restart'),
    terminate: () => socket.terminate(),
  })
  metrics.socketOpened()

  /** Never thrown on: what this socket's other operations do must not hang on this one. */
  function refuse(error: unknown): GraphQLError {
    if (isUnauthenticated(error)) {
      socket.close(CloseCode.Forbidden, NO_LONGER_VALID)
      return refusal('UNAUTHENTICATED', NO_LONGER_VALID)
    }
    const known = toGraphQLError(error)
    if (known) return known
    deps.logger.error({ error, requestId: request.requestId }, 'The key behind a socket could not be checked.')
    return refusal('UNAVAILABLE', 'The key could not be checked. Try again.')
  }

  return {
    request,
    headerAuthorization,
    initialised: cancelInitLimit,
    begin(viewer, credentials) {
      if (isClosed) return
      caller = { viewer, credentials }
      // 4403 and not 4401: after it clients read their credentials anew and come back.
      unwatch = deps.watchViewer(viewer, credentials, (why) => socket.close(CloseCode.Forbidden, why))
    },
    async subscribe(payload) {
      if (!caller) throw new Error('A socket runs operations only once its caller is known.')
      operationCount += 1
      const numbered = { ...request, requestId: `${request.requestId}.${operationCount}` }
      const { credentials } = caller
      // Anew for each operation, as over HTTP: a key that was revoked since must not act through an open socket.
      const viewer = await authenticateOrRefuse(deps.authenticate, credentials).catch(refuse)
      const presentation = { requestId: numbered.requestId, keepHttp: false }
      if (viewer instanceof GraphQLError) return [presentError(viewer, presentation)]
      // A socket that closed meanwhile has ended its operations already: nobody would end one that began now.
      if (isClosed) return [presentError(refusal('UNAVAILABLE', 'The socket has closed.'), presentation)]
      const start = { viewer, credentials, transport: 'websocket', request: numbered, lastEventId: null } as const
      return operations.run(start, payload)
    },
    close: (code, reason) => socket.close(code, reason),
    closed(code) {
      isClosed = true
      for (const cancel of [cancelInitLimit, stopPings, unwatch, forget]) cancel()
      operations.endAll()
      metrics.socketClosed(code)
    },
  }
}

const NO_LONGER_VALID = 'The key is no longer valid.'

/** Pings in turns; a client that has not answered by the next one is gone, or has stopped reading. */
function keepAlive(socket: WebSocket, scheduler: Scheduler, pingMs: number): Cancel {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  let cancel: Cancel = turn()

  function turn(): Cancel {
    return scheduler.after(pingMs, () => {
      if (!answered) return socket.terminate()
      answered = false
      socket.ping()
      cancel = turn()
    })
  }

  return () => cancel()
}
