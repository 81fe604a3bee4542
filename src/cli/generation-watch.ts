import { print } from 'graphql/language'
import { type Client, createClient } from 'graphql-ws/client'
import { ImageStatusDocument, type ImageStatusSubscription } from '../../schema/generated/operations.ts'
import { CommandError } from './command-error.ts'

export type GenerationEvent = ImageStatusSubscription['imageStatus']

export type GenerationWatch = {
  readonly url: string
  readonly authorization: string | undefined
  readonly generationId: string
  onEvent(event: GenerationEvent): void
  onLost(): void
}

const MAX_RECONNECTS = 60
const MAX_WAIT_MS = 5_000
const FORBIDDEN = 4403

/**
 * Every transition once and in order, to the last. A dropped connection is made anew with the cursor of the last event,
 * and so is a subscription that the server has ended because we were too slow.
 */
export async function watchGeneration(watch: GenerationWatch): Promise<void> {
  const variables: { id: string; after: string | null } = { id: watch.generationId, after: null }
  const client = createClient({
    url: watch.url.replace(/^http/, 'ws'),
    ...(watch.authorization === undefined ? {} : { connectionParams: { authorization: watch.authorization } }),
    retryAttempts: MAX_RECONNECTS,
    retryWait: (retries) => wait(Math.min(MAX_WAIT_MS, 250 * 2 ** retries)),
    // A refused connection is an error event without a code; only a key that no longer holds is not worth another try.
    shouldRetry: (event) => !(event instanceof Object && 'code' in event && event.code === FORBIDDEN),
    on: { closed: (event) => wasLost(event) && watch.onLost() },
  })
  let isOver = false
  try {
    while (!isOver) {
      let isAnswered = false
      await subscribeOnce(client, variables, (event) => {
        isAnswered = true
        variables.after = event.cursor
        isOver = isLast(event)
        watch.onEvent(event)
      })
      if (!isAnswered) {
        throw new CommandError(1, `The server at ${watch.url} ended the story of ${watch.generationId} before its end.`)
      }
    }
  } finally {
    await client.dispose()
  }
}

/** graphql-ws sends the variables object anew, as it is then, each time that it reconnects: its cursor is the latest. */
function subscribeOnce(
  client: Client,
  variables: { id: string; after: string | null },
  onEvent: (event: GenerationEvent) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    client.subscribe<ImageStatusSubscription>(
      { query: print(ImageStatusDocument), variables },
      {
        next: ({ data, errors }) => {
          if (data) onEvent(data.imageStatus)
          else reject(new CommandError(1, errors?.[0]?.message ?? 'The server told nothing.'))
        },
        error: (error) => reject(explainEnd(error)),
        complete: resolve,
      },
    )
  })
}

function isLast({ kind }: GenerationEvent): boolean {
  return kind === 'COMPLETED' || kind === 'FAILED' || kind === 'CANCELED'
}

function explainEnd(error: unknown): CommandError {
  const [first]: readonly unknown[] = Array.isArray(error) ? error : [error]
  const fields: object = first instanceof Object ? first : {}
  if ('code' in fields && fields.code === FORBIDDEN) {
    return new CommandError(1, 'The server no longer accepts this key. The generation goes on; see `pictor history`.')
  }
  const reason = 'message' in fields && fields.message !== '' ? fields.message : 'reason' in fields ? fields.reason : ''
  const hint = 'The generation goes on; see `pictor history`.'
  return new CommandError(1, `The connection to the server was lost${reason ? ` (${reason})` : ''}. ${hint}`, {}, error)
}

function wasLost(event: unknown): boolean {
  return event instanceof Object && 'code' in event && event.code !== 1000
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
