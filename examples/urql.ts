/**
 * urql: queries and mutations over fetch, subscriptions over a WebSocket that resumes.
 *
 *   node_modules/.bin/node examples/urql.ts "a red fox in snow"
 */
import { Client, fetchExchange, gql, subscriptionExchange } from '@urql/core'
import type { Client as SocketClient } from 'graphql-ws'
import { createResumingClient } from './resume-subscription.ts'

export function createUrqlClient(url: string, socket: SocketClient, token?: string): Client {
  return new Client({
    url,
    // urql sends short queries by GET, which is answered only with a header that a page of another site cannot send.
    preferGetMethod: false,
    ...(token ? { fetchOptions: { headers: { authorization: `Bearer ${token}` } } } : {}),
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { query, variables: { ...variables } },
              { ...sink, next: (result) => sink.next(result as never) },
            ),
          }),
        }),
      }),
    ],
  })
}

const GENERATE = gql<{ generateImage: { generation?: { id: string }; message?: string } }, { prompt: string }>`
  mutation ($prompt: String!) {
    generateImage(input: { prompt: $prompt }) {
      ... on GenerateImageSuccess { generation { id } }
      ... on UserError { message }
    }
  }
`

type Watched = { imageStatus: { kind: string; progress: number | null; generation: { images: { url: string }[] } } }

const WATCH = gql<Watched, { id: string }>`
  subscription ($id: ID!, $after: String) {
    imageStatus(id: $id, after: $after) { cursor sequence kind progress generation { id images { id url } } }
  }
`

async function main(prompt: string): Promise<void> {
  const url = process.env.PICTOR_URL ?? 'http://127.0.0.1:4000/graphql'
  const token = process.env.PICTOR_API_KEY
  const socket = createResumingClient({ url: url.replace(/^http/, 'ws'), ...(token ? { token: () => token } : {}) })
  const client = createUrqlClient(url, socket, token)
  const asked = await client.mutation(GENERATE, { prompt })
  const id = asked.data?.generateImage.generation?.id
  if (!id) throw new Error(asked.error?.message ?? asked.data?.generateImage.message ?? 'No answer.')
  await new Promise<void>((resolve) => {
    client.subscription(WATCH, { id }).subscribe(({ data, error, hasNext }) => {
      if (error) console.error(error.message)
      if (data)
        console.log(data.imageStatus.kind, data.imageStatus.generation.images.map((image) => image.url).join(' '))
      if (!hasNext) resolve()
    })
  })
  await socket.dispose()
}

if (import.meta.main) await main(process.argv[2] ?? 'a red fox in snow')
