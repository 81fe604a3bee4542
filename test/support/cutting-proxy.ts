import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

/** A TCP proxy on the loopback that breaks connections. */
export type CuttingProxy = AsyncDisposable & {
  readonly port: number
  /** Where connections are led from now on. */
  leadTo(port: number): void
  /** Resets every connection, in the middle of whatever it carries. */
  cutAll(): void
  /** Connections that were cut by their allowance. */
  cuts(): number
  stop(): Promise<void>
}

/**
 * `allowance` is asked at each new connection: how many bytes may come back from the server before it is cut, in the
 * midst of a frame as likely as not; undefined: any number.
 */
export async function startCuttingProxy(
  targetPort: number,
  allowance: () => number | undefined = () => undefined,
): Promise<CuttingProxy> {
  const open = new Set<Socket>()
  let target = targetPort
  let cutCount = 0

  const server = createServer((client) => {
    const upstream = createConnection(target, '127.0.0.1')
    let left = allowance() ?? Number.POSITIVE_INFINITY
    join(client, upstream, open)
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => {
      if (left <= 0) return
      client.write(bytes.subarray(0, left))
      left -= bytes.length
      if (left > 0) return
      cutCount += 1
      upstream.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const cutAll = () => {
    for (const socket of open) socket.resetAndDestroy()
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
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Neither outlives the other; what was written to one before still arrives. */
function join(client: Socket, upstream: Socket, open: Set<Socket>): void {
  const pairs = [
    [client, upstream],
    [upstream, client],
  ] as const
  for (const [from, to] of pairs) {
    open.add(from)
    from.setNoDelay(true)
    from.on('error', () => to.destroy())
    from.once('end', () => to.end())
    from.once('close', () => {
      open.delete(from)
      to.destroySoon()
    })
  }
}
