import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'

export type GraphqlAnswer<Data> = {
  readonly status: number
  readonly headers: Headers
  readonly data: Data | null
  readonly errors: readonly GraphqlFault[]
}

export type GraphqlFault = { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }

/** One server-sent event of a subscription. */
export type StreamedResult<Data> = {
  readonly id: string | null
  readonly data: Data | null
  readonly errors: readonly GraphqlFault[]
}

export type StreamOptions = { readonly lastEventId?: string; readonly signal?: AbortSignal }

type Document<Data, Variables> = TypedDocumentNode<Data, Variables> | string

/** `fetch` and typed documents, nothing between: what a client without any library does. */
export type GraphqlClient = {
  readonly url: string
  /** The data; throws where the answer carries errors. */
  run<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>
  /** Whatever the server says. */
  ask<Data = Readonly<Record<string, unknown>>, Variables = Readonly<Record<string, unknown>>>(
    document: Document<Data, Variables>,
    variables?: Variables,
  ): Promise<GraphqlAnswer<Data>>
  /** A subscription over server-sent events; ends with its `complete`, throws when the connection breaks. */
  stream<Data, Variables>(
    document: Document<Data, Variables>,
    variables: Variables,
    options?: StreamOptions,
  ): AsyncGenerator<StreamedResult<Data>, void>
}

export function createGraphqlClient(options: { readonly url: string; readonly secret?: string }): GraphqlClient {
  const { url, secret } = options
  const authorization = secret === undefined ? {} : { authorization: `Bearer ${secret}` }

  function post(document: unknown, variables: unknown, headers: Record<string, string>, signal?: AbortSignal) {
    const query = typeof document === 'string' ? document : print(document as Parameters<typeof print>[0])
    return fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization, ...headers },
      body: JSON.stringify({ query, variables }),
      ...(signal && { signal }),
    })
  }

  const ask: GraphqlClient['ask'] = async (document, variables) => {
    const response = await post(document, variables, { accept: 'application/graphql-response+json' })
    const { data = null, errors = [] } = await response.json()
    return { status: response.status, headers: response.headers, data, errors }
  }

  return {
    url,
    ask,
    async run(document, variables) {
      const { data, errors, status } = await ask(document, variables)
      if (data === null || errors.length > 0) throw new Error(`${status}: ${JSON.stringify(errors)}`)
      return data
    },
    async *stream(document, variables, { lastEventId, signal } = {}) {
      const resumed = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      const response = await post(document, variables, { accept: 'text/event-stream', ...resumed }, signal)
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        throw new Error(`${response.status}: ${await response.text()}`)
      }
      yield* readEvents(response)
    },
  }
}

async function* readEvents<Data>(response: Response): AsyncGenerator<StreamedResult<Data>, void> {
  if (response.body === null) throw new Error('The answer has no body.')
  let text = ''
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = readFields(block)
      if (fields.get('event') === 'complete') return
      if (fields.get('event') !== 'next') continue
      const { data = null, errors = [] } = JSON.parse(fields.get('data') ?? '')
      yield { id: fields.get('id') ?? null, data, errors }
    }
  }
  throw new Error('The stream ended before it was complete.')
}

function readFields(block: string): Map<string, string> {
  const lines = block.split('\n').filter((line) => line !== '' && !line.startsWith(':'))
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
    }),
  )
}
