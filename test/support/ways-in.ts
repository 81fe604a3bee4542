import { openRawSocket } from './raw-websocket.ts'

export type Door = { readonly url: string; readonly wsUrl: string }

/** What came back: the whole of it as text, and the HTTP status where there is one. */
export type Heard = { readonly status: number | null; readonly text: string }

type Way = (door: Door, body: object, secret?: string) => Promise<Heard>

/** Every way in which an operation can come in. The body is that of a JSON POST. */
export const WAYS: Readonly<Record<'POST' | 'GET' | 'event stream' | 'multipart form' | 'WebSocket', Way>> = {
  POST: (door, body, secret) => post(door, body, secret, 'application/graphql-response+json'),
  'event stream': (door, body, secret) => post(door, body, secret, 'text/event-stream'),
  GET: async ({ url }, body, secret) => {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(body)) {
      search.set(name, typeof value === 'string' ? value : JSON.stringify(value))
    }
    const headers = { accept: 'application/graphql-response+json', ...PREFLIGHT, ...bearer(secret) }
    return hear(await fetch(`${url}?${search}`, { headers }))
  },
  'multipart form': async ({ url }, body, secret) => {
    const form = new FormData()
    form.set('operations', JSON.stringify(body))
    form.set('map', '{}')
    const headers = { accept: 'application/graphql-response+json', ...PREFLIGHT, ...bearer(secret) }
    return hear(await fetch(url, { method: 'POST', headers, body: form }))
  },
  WebSocket: async ({ wsUrl }, body, secret) => {
    const raw = await openRawSocket(wsUrl)
    await raw.init(bearer(secret))
    raw.send({ type: 'subscribe', id: '1', payload: { query: '', ...body } })
    const text = JSON.stringify(await raw.next())
    raw.socket.terminate()
    return { status: null, text }
  },
}

const PREFLIGHT = { 'graphql-require-preflight': '1' }

function bearer(secret: string | undefined): Record<string, string> {
  return secret === undefined ? {} : { authorization: `Bearer ${secret}` }
}

async function post({ url }: Door, body: object, secret: string | undefined, accept: string): Promise<Heard> {
  const headers = { 'content-type': 'application/json', accept, ...bearer(secret) }
  return hear(await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }))
}

async function hear(response: Response): Promise<Heard> {
  return { status: response.status, text: await response.text() }
}

/** `extensions.code` of the first error in a text that was heard. */
export function codeIn({ text }: Pick<Heard, 'text'>): string | undefined {
  return /"code":"(\w+)"/.exec(text)?.[1]
}
