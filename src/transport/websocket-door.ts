import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { GraphQLSchema } from 'graphql'
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { RateLimitedError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import { authenticateOrRefuse, connectionCredentials, isUnauthenticated } from './credentials.ts'
import type { GraphqlEngine } from './graphql-engine.ts'
import type { TransportLimits } from './limits.ts'
import type { RequestInfo } from './request-facts.ts'
import type { Scheduler } from './scheduler.ts'
import type { Authenticate } from './server-options.ts'
import type { ViewerWatch } from './viewer-watch.ts'
import { createSocketOperations, passThrough } from './websocket-operations.ts'
import { createSocketSession, type SocketSession } from './websocket-session.ts'

/** Clients come back after these: 1012 a restart, 1013 a passing trouble, 4403 after reading their credentials anew. */
const TRY_AGAIN_LATER = 1013

export type WebSocketDoorDeps = {
  readonly engine: GraphqlEngine
  readonly schema: GraphQLSchema
  readonly authenticate: Authenticate
  readonly watchViewer: ViewerWatch
  readonly sockets: ConnectionRegistry
  readonly scheduler: Scheduler
  readonly limits: TransportLimits
  readonly logger: Logger
  readonly metrics: Metrics
}

export type WebSocketDoor = {
  /** The request has passed the guards. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, info: RequestInfo): void
}

/** `graphql-transport-ws` over `ws`: graphql-ws speaks the protocol, the engine runs the operations. */
export function createWebSocketDoor(deps: WebSocketDoorDeps): WebSocketDoor {
  const { authenticate, limits, logger } = deps
  // Compression would hold tens of kilobytes a socket; a larger frame ends its socket with 1009.
  const handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.frameBytes,
    handleProtocols,
  })
  const protocol = makeServer<Record<string, unknown>, SocketSession>({
    schema: deps.schema,
    connectionInitWaitTimeout: 0,
    execute: passThrough,
    subscribe: passThrough,
    onConnect: ({ connectionParams, extra }) => connect(extra, connectionParams ?? {}),
    onSubscribe: ({ extra }, _id, payload) => extra.subscribe(payload),
  })

  async function connect(session: SocketSession, params: Readonly<Record<string, unknown>>): Promise<boolean> {
    session.initialised()
    const credentials = connectionCredentials(session.request, session.headerAuthorization, params)
    try {
      const viewer = await authenticateOrRefuse(authenticate, credentials)
      session.begin(viewer, credentials)
      return true
    } catch (error) {
      if (isUnauthenticated(error)) return false
      if (!(error instanceof RateLimitedError)) {
        logger.error({ error, requestId: session.request.requestId }, 'A socket could not be authenticated.')
      }
      session.close(TRY_AGAIN_LATER, 'Try again later')
      return false
    }
  }

  function open(socket: WebSocket, info: RequestInfo, headerAuthorization: string | null): void {
    const operations = createSocketOperations({ ...deps, operationsPerSocket: limits.operationsPerSocket })
    const session = createSocketSession({ ...deps, socket, operations, request: info, headerAuthorization })
    const onClosed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) => send(socket, text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => listen(socket, handle, deps.logger),
      },
      session,
    )
    socket.once('close', (code: number, reason: Buffer) => {
      session.closed(code)
      void onClosed(code, reason.toString())
    })
  }

  return {
    upgrade(request, socket, head, info) {
      const authorization = request.headers.authorization ?? null
      handshakes.handleUpgrade(request, socket, head, (webSocket) => open(webSocket, info, authorization))
    },
  }
}

/** Resolves when the text is with the kernel: graphql-ws asks a source for its next value only then. */
function send(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) return resolve()
    socket.send(text, (error) => (error ? reject(error) : resolve()))
  })
}

function listen(socket: WebSocket, handle: (text: string) => Promise<void>, logger: Logger): void {
  // ws has closed the socket with the fitting code by then; without a listener the process would end.
  socket.on('error', (error) => logger.debug({ error }, 'A socket failed.'))
  socket.on('message', (data) => {
    handle(String(data)).catch((error: unknown) => {
      logger.debug({ error }, 'A socket message could not be handled.')
      socket.close(CloseCode.BadRequest, 'Invalid message received')
    })
  })
}
