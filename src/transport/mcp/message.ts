/** A JSON-RPC message that came in, or why it is none that can be answered. */
export type ReadMessage = { readonly message: Message } | { readonly fault: MessageFault }

/** What HTTP has to look at; the rest is the protocol's. */
export type Message = {
  readonly id: string | number | null
  readonly method: string | null
  readonly params: Readonly<Record<string, unknown>>
  readonly json: object
}

/** `code`: of JSON-RPC. */
export type MessageFault = { readonly code: number; readonly message: string }

const PARSE_ERROR = -32700
const INVALID_REQUEST = -32600
/** The deepest that any tool takes is six; what is deeper would only burden whoever walks through it. */
const MAX_DEPTH = 32

export function readMessage(body: Buffer): ReadMessage {
  const read = parse(body)
  if (read === null) return refuse(PARSE_ERROR, 'The body is not valid JSON in UTF-8.')
  const { json } = read
  if (Array.isArray(json)) {
    return refuse(INVALID_REQUEST, 'Batches are not taken: send one message a request, so that each is counted.')
  }
  if (!isObject(json)) return refuse(INVALID_REQUEST, 'The body must be one JSON-RPC message, an object.')
  const fault = findFault(json, MAX_DEPTH)
  if (fault !== null) return refuse(INVALID_REQUEST, fault)
  const { id, method, params } = json
  return {
    message: {
      id: typeof id === 'string' || typeof id === 'number' ? id : null,
      method: typeof method === 'string' ? method : null,
      params: isObject(params) ? params : {},
      json,
    },
  }
}

function parse(body: Buffer): { json: unknown } | null {
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) }
  } catch {
    return null
  }
}

function refuse(code: number, message: string): ReadMessage {
  return { fault: { code, message } }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Goes no deeper than the limit. A key that names the prototype would be left out in silence further on. */
function findFault(value: unknown, levels: number): string | null {
  if (typeof value !== 'object' || value === null) return null
  if (levels === 0) return `A message may be ${MAX_DEPTH} levels deep.`
  if (Object.hasOwn(value, '__proto__')) return 'A message must not have a key named __proto__.'
  for (const inner of Object.values(value)) {
    const fault = findFault(inner, levels - 1)
    if (fault !== null) return fault
  }
  return null
}
