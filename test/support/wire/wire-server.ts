import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { CallKind, OutgoingCall } from './callbacks.ts'
import { parseJson } from './json-object.ts'
import { pickMode, type WireMode } from './wire-mode.ts'
import { sendReply, type WireReply } from './wire-reply.ts'

/** One request as the vendor got it. */
export type WireRequest = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** Parsed; undefined where it is no JSON. */
  readonly json: unknown
  /** A multipart or urlencoded body. Rejects where it is none. */
  form(): Promise<FormData>
  /** Address of this server, such as `http://127.0.0.1:1234`. */
  readonly origin: string
}

/** What a vendor does with a request. `mode.name` is `ok` unless a test or the prompt says otherwise. */
export type WireHandler = (request: WireRequest, mode: WireMode) => Promise<WireReply> | WireReply

export type WireServer = AsyncDisposable & {
  /** Without a path: `http://127.0.0.1:1234`. */
  readonly origin: string
  /** Another address of the same server, `http://127.0.0.1:1235`: vendors put results on other hosts. */
  readonly secondOrigin: string
  /** Every request so far, in order, on both addresses. */
  readonly requests: readonly WireRequest[]
  /** Of the kind that costs money. */
  readonly billable: readonly WireRequest[]
  /** The next billable requests go by these modes, one each, such as `refused` or `ok delay=200`. */
  script(...modes: readonly string[]): void
  /** Lets go on what a mode keeps waiting: answers with `held=answer`, unfinished jobs with `held=job`. */
  release(): void
  /** Calls back about every job that names an address, whatever has become of it. Answers with the statuses it got. */
  callBack(kind: CallKind): Promise<readonly number[]>
  /** Statuses of the calls that the vendor made of its own accord. */
  readonly answered: readonly number[]
  /** Resolves with the first request, past or to come, that this is true of. */
  until(matches: (request: WireRequest) => boolean): Promise<WireRequest>
  close(): Promise<void>
}

export type WireVendor = {
  readonly handle: WireHandler
  /** Is it a request that the vendor would bill? Modes are looked up for these alone. */
  isBillable(request: WireRequest): boolean
  /** Of a vendor that talks over WebSockets, which are then its own; without it every upgrade is refused. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Of a vendor that calls back. */
  callBacks?(kind: CallKind): readonly OutgoingCall[]
  /** Ends what it still does, and its sockets. */
  close?(): void
}

/** What a vendor is told of its server. */
export type WireSetting = {
  readonly origin: () => string
  readonly secondOrigin: () => string
  /** Has `release` been called? For jobs that a mode with `held=job` keeps unfinished. */
  readonly isReleased: () => boolean
  readonly onRelease: (listener: () => void) => void
  /** Calls somebody back, without waiting. */
  readonly post: (call: OutgoingCall) => void
}

/**
 * A vendor's HTTP interface on this machine. Faults of the connection (`hang`, `reset`, `truncate`, `dribble`, `delay`,
 * see `wire-reply.ts`) work for every vendor; the other modes are the vendor's own.
 */
export async function startWireServer(
  create: (setting: WireSetting) => WireVendor,
  options: { readonly port?: number; readonly log?: (line: string) => void } = {},
): Promise<WireServer> {
  const requests: WireRequest[] = []
  const billable: WireRequest[] = []
  const scripted: string[] = []
  const waiting = new Set<() => void>()
  const servers: Server[] = []
  let origin = ''
  let secondOrigin = ''
  const released = Promise.withResolvers<void>()
  let isReleased = false
  const releasing: (() => void)[] = []
  const answered: number[] = []
  const calling = new Set<Promise<unknown>>()
  const vendor = create({
    origin: () => origin,
    secondOrigin: () => secondOrigin,
    isReleased: () => isReleased,
    onRelease: (listener) => void releasing.push(listener),
    post: (call) => {
      const done = callOut(call, options.log).then((status) => void answered.push(status))
      calling.add(done)
      void done.finally(() => calling.delete(done))
    },
  })

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming)
    const isBillable = vendor.isBillable(request)
    const mode = pickMode(isBillable ? scripted.shift() : undefined, isBillable ? request.body : null)
    requests.push(request)
    if (isBillable) billable.push(request)
    options.log?.(`${request.method} ${request.path} ${isBillable ? mode.name : ''}`.trimEnd())
    for (const look of waiting) look()
    if (isBillable && mode.settings.held === 'answer') await released.promise
    await sendReply(incoming, response, mode, () => vendor.handle(request, mode))
  }

  async function listen(port: number): Promise<string> {
    const server = createServer((incoming, response) => {
      handle(incoming, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(599, { 'content-type': 'text/plain' })
        response.end(`The wire server failed: ${error instanceof Error ? error.stack : error}`)
      })
    })
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => undefined)
      if (vendor.upgrade) vendor.upgrade(request, socket, head)
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
    })
    servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  origin = await listen(options.port ?? 0)
  secondOrigin = await listen(0)

  async function close(): Promise<void> {
    vendor.close?.()
    await Promise.all(calling)
    for (const server of servers) server.closeAllConnections()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }

  return {
    origin,
    secondOrigin,
    requests,
    billable,
    script: (...modes) => void scripted.push(...modes),
    release() {
      isReleased = true
      released.resolve()
      for (const listener of releasing) listener()
    },
    async callBack(kind) {
      const statuses: number[] = []
      for (const call of vendor.callBacks?.(kind) ?? []) statuses.push(await callOut(call, options.log))
      return statuses
    },
    answered,
    until(matches) {
      return new Promise((resolve) => {
        const look = () => {
          const found = requests.find(matches)
          if (!found) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** 0: nobody answered. */
async function callOut({ url, headers, body }: OutgoingCall, log?: (line: string) => void): Promise<number> {
  const sent = { 'content-type': 'application/json', ...headers }
  const status = await fetch(url, { method: 'POST', headers: sent, body, redirect: 'manual' }).then(
    (response) => response.status,
    () => 0,
  )
  log?.(`called back: ${status}`)
  return status
}

async function readRequest(incoming: IncomingMessage): Promise<WireRequest> {
  const body = await buffer(incoming)
  const origin = `http://${incoming.headers.host}`
  const url = new URL(incoming.url ?? '/', origin)
  const contentType = incoming.headers['content-type'] ?? ''
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body,
    json: parseJson(body.toString('utf8')),
    form: () => new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData(),
    origin,
  }
}
