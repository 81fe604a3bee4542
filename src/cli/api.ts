import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql/language'
import { z } from 'zod'
import { CommandError } from './command-error.ts'
import { type GenerationEvent, watchGeneration } from './generation-watch.ts'

/** A Pictor as the commands see it: the same API that everyone else has, whether it runs elsewhere or in this process. */
export type Api = {
  /** Address of `/graphql`. */
  readonly url: string
  request<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result>
  /** Calls `onEvent` for each event until the last one, across dropped connections, and resolves. */
  watch(generationId: string, listener: WatchListener): Promise<void>
  /** Bytes behind a signed URL. */
  download(url: string): Promise<Uint8Array>
  /** Of a server in this process: stops it, and lets what runs finish before. */
  close(): Promise<void>
}

export type WatchListener = {
  onEvent(event: GenerationEvent): void
  /** The connection is gone, and is being made anew. */
  onLost(): void
}

export type ApiTarget = { readonly url: string; readonly key: string | undefined }

const REQUEST_MS = 60_000

const Answer = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.looseObject({ code: z.string().optional() }).optional() }))
    .optional(),
})

export function createApi(target: ApiTarget, close: () => Promise<void> = async () => undefined): Api {
  const authorization = target.key === undefined ? undefined : `Bearer ${target.key}`
  return {
    url: target.url,
    // The typed documents are made from the schema that answers here: the shape of `data` is theirs.
    request: async <Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables) =>
      (await post(target, authorization, { query: print(document), variables })) as Result,
    watch: (generationId, listener) => watchGeneration({ ...target, authorization, generationId, ...listener }),
    download: (url) => download(url),
    close,
  }
}

async function post(target: ApiTarget, authorization: string | undefined, body: object): Promise<unknown> {
  const response = await reach(target.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_MS),
  })
  const answer = Answer.safeParse(await response.json().catch(() => undefined))
  if (!answer.success) {
    throw new CommandError(1, `${target.url} does not answer like a Pictor (HTTP ${response.status}). Look at --url.`)
  }
  const [error] = answer.data.errors ?? []
  if (error) throw explainError(error.message, error.extensions?.code, target)
  return answer.data.data
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    throw explainUnreachable(error, url)
  }
}

/** Of what `fetch` throws. */
export function explainUnreachable(error: unknown, url: string): CommandError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause)
  return new CommandError(1, `No answer from ${url}: ${reason}.`, { code: 'UNREACHABLE' }, error)
}

async function download(url: string): Promise<Uint8Array> {
  const response = await reach(url, { signal: AbortSignal.timeout(REQUEST_MS) })
  if (!response.ok) throw new CommandError(1, `The picture could not be fetched (HTTP ${response.status}): ${url}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** A GraphQL error of a whole request, with what the caller can do about it. */
export function explainError(message: string, code: string | undefined, target: ApiTarget): CommandError {
  const details = { code: code ?? 'UNKNOWN' }
  if (code === 'UNAUTHENTICATED') return new CommandError(1, explainKey(target), details)
  if (code === 'FORBIDDEN') return new CommandError(1, `${message} Pass another key with --key.`, details)
  return new CommandError(code === 'BAD_USER_INPUT' ? 2 : 1, message, details)
}

export function explainKey({ url, key }: ApiTarget): string {
  return key === undefined
    ? `The server at ${url} wants an API key. Pass one with --key pk_… or in PICTOR_KEY. Whoever runs the server makes one with: npm run pictor -- keys create --name <name>`
    : `The server at ${url} does not accept this key: it is unknown, revoked or expired. Pass another with --key or in PICTOR_KEY.`
}
