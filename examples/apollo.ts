/**
 * Apollo Client: queries and mutations over fetch, subscriptions over a WebSocket that resumes. (Its subscriptions over
 * multipart HTTP are answered with 406: the link below is the way.)
 *
 *   node_modules/.bin/node examples/apollo.ts "a red fox in snow"
 */
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache, type TypedDocumentNode } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { OperationTypeNode } from 'graphql'
import type { Client as SocketClient } from 'graphql-ws'
import possibleTypes from '../schema/possible-types.json' with { type: 'json' }
import { createResumingClient } from './resume-subscription.ts'

const ENDS = new Set(['COMPLETED', 'FAILED', 'CANCELED'])

/** With the members of unions, and with rules for a generation whose answers and events overtake one another. */
export function createCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes,
    typePolicies: {
      // Objects without an id are replaced by default; operations that select different parts of them would take turns.
      GenerationCost: { merge: true },
      GenerationParameters: { merge: true },
      ModelCapabilities: { merge: true },
      Generation: {
        fields: {
          // What has ended stays ended: an answer that was on its way meanwhile does not bring it back.
          status: { merge: (known: string | undefined, told: string) => (known && ENDS.has(known) ? known : told) },
          sequence: { merge: (known = 0, told: number) => Math.max(known, told) },
          images: { merge: (known: unknown[] = [], told: unknown[]) => (told.length < known.length ? known : told) },
        },
      },
    },
  })
}

export function createApolloClient(url: string, socket: SocketClient, token?: string): ApolloClient {
  const http = new HttpLink({ uri: url, ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}) })
  return new ApolloClient({
    cache: createCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      http,
    ),
  })
}

const GENERATE: TypedDocumentNode<
  { generateImage: { generation?: { id: string }; message?: string } },
  { prompt: string }
> = gql`
  mutation ($prompt: String!) {
    generateImage(input: { prompt: $prompt }) {
      ... on GenerateImageSuccess { generation { id } }
      ... on UserError { message }
    }
  }
`

type Watched = { imageStatus: { kind: string; generation: { images: { url: string }[] } } }

const WATCH: TypedDocumentNode<Watched, { id: string }> = gql`
  subscription ($id: ID!, $after: String) {
    imageStatus(id: $id, after: $after) { cursor sequence kind progress generation { id images { id url } } }
  }
`

async function main(prompt: string): Promise<void> {
  const url = process.env.PICTOR_URL ?? 'http://127.0.0.1:4000/graphql'
  const token = process.env.PICTOR_API_KEY
  const socket = createResumingClient({ url: url.replace(/^http/, 'ws'), ...(token ? { token: () => token } : {}) })
  const client = createApolloClient(url, socket, token)
  const asked = await client.mutate({ mutation: GENERATE, variables: { prompt } })
  const id = asked.data?.generateImage.generation?.id
  if (!id) throw new Error(asked.error?.message ?? asked.data?.generateImage.message ?? 'No answer.')
  await new Promise<void>((resolve, reject) => {
    client.subscribe({ query: WATCH, variables: { id } }).subscribe({
      next: ({ data }) => {
        if (data)
          console.log(data.imageStatus.kind, data.imageStatus.generation.images.map((image) => image.url).join(' '))
      },
      error: reject,
      complete: resolve,
    })
  })
  await socket.dispose()
}

if (import.meta.main) await main(process.argv[2] ?? 'a red fox in snow')
