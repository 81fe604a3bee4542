import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type Received = { readonly headers: IncomingHttpHeaders; readonly body: string }
export type Answer = (response: ServerResponse) => void

/** Somebody's server that webhooks are sent to. */
export type Receiver = AsyncDisposable & {
  readonly origin: string
  readonly url: string
  readonly received: readonly Received[]
  /** How the next messages are answered, one each, and then all others with 204. A number is a status. */
  script(...answers: readonly (number | Answer)[]): void
  /** Resolves when so many messages have come in all. */
  until(count: number): Promise<readonly Received[]>
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const scripted: (number | Answer)[] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    text(request).then((body) => {
      received.push({ headers: request.headers, body })
      for (const look of waiting) look()
      const answer = scripted.shift() ?? 204
      if (typeof answer === 'number') response.writeHead(answer).end()
      else answer(response)
    }, ignore)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    url: `${origin}/hooks`,
    received,
    script: (...answers) => void scripted.push(...answers),
    until(count) {
      return new Promise((resolve) => {
        const look = () => {
          if (received.length < count) return
          waiting.delete(look)
          resolve(received)
        }
        waiting.add(look)
        look()
      })
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function ignore(): void {}
