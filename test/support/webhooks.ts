import {
  CreateWebhookEndpointDocument,
  WebhookEndpointsDocument,
  type WebhookEndpointsQuery,
  type WebhookEventType,
} from '../../schema/generated/operations.ts'
import type { GraphqlClient } from './graphql-client.ts'
import type { Received } from './receiver.ts'

export const ENDS: readonly WebhookEventType[] = ['GENERATION_COMPLETED', 'GENERATION_FAILED', 'GENERATION_CANCELED']

type Endpoint = WebhookEndpointsQuery['viewer']['account']['webhookEndpoints'][number]
export type Delivery = Endpoint['deliveries']['nodes'][number]

/** Has the account told at the address; throws where that is refused. */
export async function subscribe(client: GraphqlClient, url: string, events = ENDS) {
  const { createWebhookEndpoint: made } = await client.run(CreateWebhookEndpointDocument, { input: { url, events } })
  if (made.__typename !== 'CreateWebhookEndpointSuccess') throw new Error(JSON.stringify(made))
  return { id: made.endpoint.id, secret: made.signingSecret }
}

/** The account's first endpoint, with its latest deliveries. */
export async function lookAtEndpoint(client: GraphqlClient) {
  const { viewer } = await client.run(WebhookEndpointsDocument, {})
  const [endpoint] = viewer.account.webhookEndpoints
  if (!endpoint) throw new Error('There is no endpoint.')
  return { ...endpoint, deliveries: endpoint.deliveries.nodes }
}

/** Resolves once the latest delivery is as `isSo` says. */
export async function untilDelivery(client: GraphqlClient, isSo: (latest: Delivery) => boolean): Promise<Delivery> {
  for (;;) {
    const [latest] = (await lookAtEndpoint(client)).deliveries
    if (latest && isSo(latest)) return latest
  }
}

export function headersOf({ headers }: Received): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
