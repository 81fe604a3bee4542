import {
  CreateApiKeyDocument,
  type CreateApiKeyInput,
  CreateTokenDocument,
  type CreateTokenInput,
} from '../../schema/generated/operations.ts'
import type { GraphqlClient } from './graphql-client.ts'

export async function createKey(client: GraphqlClient, input: CreateApiKeyInput) {
  const { createApiKey } = await client.run(CreateApiKeyDocument, { input })
  if (createApiKey.__typename !== 'CreateApiKeySuccess') throw new Error(JSON.stringify(createApiKey))
  return createApiKey
}

export async function createToken(client: GraphqlClient, input: CreateTokenInput): Promise<string> {
  const { createToken: result } = await client.run(CreateTokenDocument, { input })
  if (result.__typename !== 'CreateTokenSuccess') throw new Error(JSON.stringify(result))
  return result.accessToken
}
