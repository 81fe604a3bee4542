import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import type { TransportLimits } from './limits.ts'
import { declaredBytes } from './request-body.ts'

export type Listener = {
  /** Resolves with the real port. Rejects when the address cannot be had. */
  listen(host: string, port: number): Promise<number>
  /** Takes no more connections; resolves when all requests are answered, or cut at the deadline. */
  close(graceMs: number): Promise<void>
}

export type ListenerHandlers = {
  onRequest(request: IncomingMessage, response: ServerResponse): void
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Node's HTTP server with a time limit on every part of a request, so that slow senders cannot hold it. */
export function createListener(deps: { limits: TransportLimits; clock: Clock } & ListenerHandlers): Listener {
  const { limits, clock, onRequest, onUpgrade } = deps
  const answering = new Set<ServerResponse>()
  let closing = false
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.timeoutCheckMs,
    noDelay: true,
  })
  const take = (request: IncomingMessage, response: ServerResponse) => {
    answering.add(response)
    response.once('close', () => {
      answering.delete(response)
      // An answer whose headers were out before has promised to keep the connection; its client learns better now.
      if (closing) request.socket.destroySoon()
    })
    onRequest(request, response)
  }
  server.on('request', take)
  server.on('upgrade', onUpgrade)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (declaredBytes(request) <= limits.bodyBytes) response.writeContinue()
    take(request, response)
  })

  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          const address = server.address()
          resolve(typeof address === 'object' && address !== null ? address.port : port)
        })
      }),
    async close(graceMs) {
      closing = true
      const done = new AbortController()
      const closed = new Promise<void>((resolve) => server.close(() => resolve())).then(() => done.abort())
      for (const response of answering) if (!response.headersSent) response.setHeader('connection', 'close')
      if (graceMs > 0) await clock.sleep(graceMs, done.signal)
      server.closeAllConnections()
      await closed
    },
  }
}
