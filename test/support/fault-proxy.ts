import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

/** What a connection meets with on its way back from the server, from its beginning to its end. */
export type Fault =
  /** Ended after so many bytes, in the midst of a frame as likely as not. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Open, and nothing comes through any more after so many bytes. */
  | { readonly kind: 'silence'; readonly afterBytes: number }
  /** So many bytes at a time. */
  | { readonly kind: 'trickle'; readonly bytes: number }
  /** Each piece so many milliseconds late. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Reset as soon as it is made. */
  | { readonly kind: 'refusal' }

/** A TCP proxy on the loopback that does to connections what networks do. */
export type FaultProxy = AsyncDisposable & {
  readonly port: number
  /** Where connections are led from now on. */
  leadTo(port: number): void
  /** Resets every connection, in the middle of whatever it carries. */
  cutAll(): void
  /** Connections that were cut by their fault. */
  cuts(): number
  /** Local ports of the connections to the server: how the server knows them. */
  upstreamPorts(): readonly number[]
  stop(): Promise<void>
}

type Proxied = { readonly client: Socket; readonly upstream: Socket }

/** `faultOf` is asked at each new connection; undefined: none. */
export async function startFaultProxy(
  targetPort: number,
  faultOf: () => Fault | undefined = () => undefined,
): Promise<FaultProxy> {
  const open = new Set<Proxied>()
  let target = targetPort
  let cutCount = 0

  const server = createServer((client) => {
    const fault = faultOf()
    if (fault?.kind === 'refusal') {
      client.on('error', () => undefined)
      client.resetAndDestroy()
      return
    }
    const proxied = { client, upstream: createConnection(target, '127.0.0.1') }
    open.add(proxied)
    client.once('close', () => open.delete(proxied))
    void join(proxied, fault, () => {
      cutCount += 1
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const cutAll = () => {
    for (const { client, upstream } of open) {
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
  }
  async function stop(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    cutAll()
    await closed
  }
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port) => {
      target = port
    },
    cutAll,
    cuts: () => cutCount,
    upstreamPorts: () => [...open].flatMap(({ upstream }) => upstream.localPort ?? []),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Neither outlives the other; what was written to one before still arrives. */
async function join({ client, upstream }: Proxied, fault: Fault | undefined, onCut: () => void): Promise<void> {
  client.setNoDelay(true)
  upstream.setNoDelay(true)
  client.on('error', () => upstream.destroy())
  client.on('data', (bytes) => upstream.write(bytes))
  client.once('end', () => upstream.end())
  client.once('close', () => upstream.destroySoon())
  upstream.on('error', () => client.destroy())
  try {
    await carryBack(upstream, client, fault, onCut)
  } catch {
    // It broke: what the server had sent before is still written.
  }
  upstream.destroy()
  client.destroySoon()
}

async function carryBack(upstream: Socket, client: Socket, fault: Fault | undefined, onCut: () => void): Promise<void> {
  let left = fault !== undefined && 'afterBytes' in fault ? fault.afterBytes : Number.POSITIVE_INFINITY
  for await (const bytes of upstream) {
    for (const piece of split(bytes, fault)) {
      await delay(fault)
      if (left > 0) client.write(piece.subarray(0, left))
      left -= piece.length
    }
    if (left > 0 || fault?.kind !== 'cut') continue
    onCut()
    return
  }
}

function split(bytes: Buffer, fault: Fault | undefined): readonly Buffer[] {
  if (fault?.kind !== 'trickle') return [bytes]
  const count = Math.ceil(bytes.length / fault.bytes)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * fault.bytes, (index + 1) * fault.bytes))
}

function delay(fault: Fault | undefined): Promise<void> {
  if (fault?.kind === 'late') return new Promise((resolve) => setTimeout(resolve, fault.ms))
  if (fault?.kind === 'trickle') return new Promise((resolve) => setImmediate(resolve))
  return Promise.resolve()
}
