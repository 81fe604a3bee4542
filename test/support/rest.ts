import OpenAI, { type ClientOptions } from 'openai'
import type { TestApp } from './start-app.ts'

/** The official SDK, pointed at a server of ours. It sends nothing again by itself unless a test says so. */
export function createSdk(app: Pick<TestApp, 'origin'>, secret: string, options: ClientOptions = {}): OpenAI {
  return new OpenAI({ baseURL: `${app.origin}/v1`, apiKey: secret, maxRetries: 0, ...options })
}

export type RestAnswer = { readonly status: number; readonly headers: Headers; readonly body: RestBody }

/** What is looked into: answers and errors alike. */
export type RestBody = {
  readonly id?: string
  readonly status?: string
  readonly data?: readonly Readonly<Record<string, unknown>>[]
  readonly error?: RestError
  readonly [field: string]: unknown
}

export type RestError = {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string
  readonly errors?: readonly { readonly param: string; readonly message: string }[]
  readonly generation_id?: string
  readonly [field: string]: unknown
}

export type RestRequest = {
  readonly method?: string
  readonly secret?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, a form and text as they are. */
  readonly body?: object | string
  readonly signal?: AbortSignal
}

/** Without any library: for what the SDK does not send. */
export async function askRest(
  app: Pick<TestApp, 'origin'>,
  path: string,
  { method, secret = null, headers = {}, body, signal }: RestRequest = {},
): Promise<RestAnswer> {
  const isJson = typeof body === 'object' && !(body instanceof FormData)
  const response = await fetch(`${app.origin}/v1${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(secret !== null && { authorization: `Bearer ${secret}` }),
      ...(isJson && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: isJson ? JSON.stringify(body) : (body ?? null),
    ...(signal && { signal }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}
