/**
 * Apollo Client: queries and mutations over fetch, subscriptions over a WebSocket that resumes. (Its subscriptions over
 * multipart HTTP are answered with 406: the link below is the way.)
 *
 *   node examples/apollo.ts "a red fox in snow"
 */
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache, type TypedDocumentNode } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { OperationTypeNode } from 'graphql'
import type { Client as SocketClient } from 'graphql-ws'
import { createResumingClient } from './resume-subscription.ts'

export function createApolloClient(url: string, socket: SocketClient, token?: string): ApolloClient {
  const http = new HttpLink({ uri: url, ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}) })
  return new ApolloClient({
    cache: new InMemoryCache(),
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
