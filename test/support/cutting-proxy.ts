import { createConnection, createServer, type Socket } from 'node:net'

/** A TCP proxy on the loopback whose connections can be reset. */
export type CuttingProxy = {
  readonly port: number
  cutAll(): void
  stop(): Promise<void>
}

export async function startCuttingProxy(targetPort: number): Promise<CuttingProxy> {
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const target = createConnection(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      open.add(from)
      from.on('error', () => undefined)
      from.once('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  const cutAll = () => {
    for (const socket of open) socket.resetAndDestroy()
  }
  return {
    port,
    cutAll,
    stop() {
      cutAll()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
