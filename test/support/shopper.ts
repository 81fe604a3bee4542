import { print } from 'graphql'
import type { Client } from 'graphql-ws'
import {
  CancelGenerationDocument,
  GenerateImageDocument,
  type GenerateImageInput,
  type GenerateImageMutation,
  ImageStatusDocument,
  type ImageStatusSubscription,
  RetryGenerationDocument,
  type RetryGenerationMutation,
} from '../../schema/generated/operations.ts'
import type { GraphqlClient } from './graphql-client.ts'
import type { StatusEvent } from './watch-client.ts'

export type Order = {
  readonly input: GenerateImageInput & { readonly idempotencyKey: string }
  /** Cancels as soon as it has started. */
  readonly cancels: boolean
}

/** What became of an order: acknowledged under this id, and seen to its end. */
export type Story = Seen & { readonly order: Order }

export type Seen = {
  readonly id: string
  readonly events: readonly StatusEvent[]
  /** What was answered to the cancel; null where none was asked for. */
  readonly effect: string | null
}

export type Shopper = {
  /** Asks until there is an answer, however often the server dies meanwhile, and watches to the end. */
  buy(order: Order): Promise<Story>
  /** The same again, with a key of its own, and seen to its end. */
  again(id: string, idempotencyKey: string): Promise<Seen>
  /** Asks until there is an answer. */
  insist<Answer>(ask: () => Promise<Answer>): Promise<Answer>
}

type Answer = GenerateImageMutation['generateImage'] | RetryGenerationMutation['retryGeneration']

/**
 * A client as it should be: repeats what got no answer, with the same idempotency key, and resumes what it watches.
 * `whenUp` resolves when the server can be asked again.
 */
export function createShopper(deps: {
  readonly client: GraphqlClient
  readonly socket: Client
  readonly whenUp: () => Promise<void>
  readonly onEvent: (event: StatusEvent) => void
}): Shopper {
  const { client, socket, whenUp, onEvent } = deps

  async function insist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      await whenUp()
      try {
        return await ask()
      } catch (error) {
        // Of fetch: the connection was refused or broke. Everything else is an answer.
        if (!(error instanceof TypeError)) throw error
      }
    }
  }

  /** Asks until it is taken: a provider that is down for a while is none that refuses. */
  async function order(ask: () => Promise<Answer>): Promise<string> {
    for (;;) {
      const answer = await insist(ask)
      if (answer.__typename === 'GenerateImageSuccess') return answer.generation.id
      const isDown = answer.__typename === 'ModelUnavailableError' && answer.reason === 'DOWN'
      if (!isDown) throw new Error(JSON.stringify(answer))
    }
  }

  function watch(id: string, onStarted: () => void): Promise<StatusEvent[]> {
    const events: StatusEvent[] = []
    return new Promise((resolve, reject) => {
      socket.subscribe<ImageStatusSubscription>(
        { query: print(ImageStatusDocument), variables: { id } },
        {
          next: ({ data, errors }) => {
            if (!data) return reject(new AggregateError(errors ?? [], 'A watcher was refused.'))
            events.push(data.imageStatus)
            onEvent(data.imageStatus)
            if (data.imageStatus.kind === 'STARTED') onStarted()
          },
          error: reject,
          complete: () => resolve(events),
        },
      )
    })
  }

  async function cancel(id: string): Promise<string> {
    const { cancelGeneration } = await insist(() => client.run(CancelGenerationDocument, { id }))
    if (cancelGeneration.__typename !== 'CancelGenerationSuccess') throw new Error(JSON.stringify(cancelGeneration))
    return cancelGeneration.effect
  }

  async function see(id: string, cancels: boolean): Promise<Seen> {
    let canceled: Promise<string | null> = Promise.resolve(null)
    const events = await watch(id, () => {
      if (cancels) canceled = cancel(id)
    })
    return { id, events, effect: await canceled }
  }

  return {
    insist,
    async buy(given) {
      const { input, cancels } = given
      const id = await order(async () => (await client.run(GenerateImageDocument, { input })).generateImage)
      return { order: given, ...(await see(id, cancels)) }
    },
    async again(id, idempotencyKey) {
      const ask = async () => (await client.run(RetryGenerationDocument, { id, idempotencyKey })).retryGeneration
      return see(await order(ask), false)
    },
  }
}
