import { WebSocket } from 'ws'

/** One WebSocket with one subscription, spoken by hand: a client library's own cost would be counted too. */
export type Watcher = { close(): void }

const WATCH = 'subscription ($id: ID!) { imageStatus(id: $id) { cursor sequence kind at status } }'

export type SeenEvent = { readonly kind: string; readonly at: string }

/** Resolves with the first event. */
export function openWatcher(url: string, id: string, onEvent: (event: SeenEvent) => void): Promise<Watcher> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { perMessageDeflate: false })
  const { promise, resolve, reject } = Promise.withResolvers<Watcher>()
  const send = (message: object) => socket.send(JSON.stringify(message))
  socket.on('error', reject)
  socket.on('open', () => send({ type: 'connection_init' }))
  socket.on('message', (data) => {
    const message = JSON.parse(String(data))
    if (message.type === 'connection_ack')
      send({ id: '1', type: 'subscribe', payload: { query: WATCH, variables: { id } } })
    if (message.type === 'ping') send({ type: 'pong' })
    if (message.type === 'error') reject(new Error(JSON.stringify(message)))
    if (message.type !== 'next') return
    onEvent(message.payload.data.imageStatus)
    resolve({ close: () => socket.terminate() })
  })
  return promise
}
