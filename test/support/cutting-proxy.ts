import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type CuttingProxy = AsyncDisposable & {
  readonly port: number
  /** Where connections are led from now on. */
  leadTo(port: number): void
  /** Resets every connection, in the middle of whatever it carries. */
  cut(): void
  /** Connections that are open now. */
  open(): number
  /** Connections that were cut by `allowance`. */
  cuts(): number
}

/**
 * A TCP proxy that breaks connections. `allowance` is asked at each new one: how many bytes may come back from the
 * server before it is reset (in the midst of a frame, as likely as not); undefined: any number.
 */
export async function startCuttingProxy(allowance: () => number | undefined = () => undefined): Promise<CuttingProxy> {
  const pairs = new Set<() => void>()
  let target = 0
  let cutCount = 0

  const server = createServer((inbound) => {
    let left = allowance() ?? Number.POSITIVE_INFINITY
    const outbound = connect(target, '127.0.0.1')
    const reset = () => {
      pairs.delete(reset)
      inbound.resetAndDestroy()
      outbound.destroy()
    }
    pairs.add(reset)
    inbound.once('close', () => pairs.delete(reset))
    pass(inbound, outbound, reset, (bytes) => bytes)
    pass(outbound, inbound, reset, (bytes) => {
      const passed = bytes.subarray(0, left)
      left -= passed.length
      return passed
    })
    outbound.on('data', () => {
      if (left > 0 || !pairs.has(reset)) return
      cutCount += 1
      // What was let through must arrive: a reset would take it away from the kernel's buffers.
      pairs.delete(reset)
      inbound.end(() => inbound.destroy())
      outbound.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port) => {
      target = port
    },
    cut: () => {
      for (const reset of [...pairs]) reset()
    },
    open: () => pairs.size,
    cuts: () => cutCount,
    async [Symbol.asyncDispose]() {
      for (const reset of [...pairs]) reset()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

function pass(from: Socket, to: Socket, reset: () => void, filter: (bytes: Buffer) => Buffer): void {
  from.setNoDelay(true)
  from.on('data', (bytes) => to.write(filter(bytes)))
  from.on('end', () => to.end())
  from.on('error', reset)
}
