import { type FieldProblem, RequestError } from '../errors.ts'
import type { Viewer } from '../viewer.ts'
import type { DeliveryLog } from './delivery-log.ts'
import type { EndpointChange, EndpointInput, Endpoints } from './endpoints.ts'
import type { SigningSecrets } from './signing-secrets.ts'
import type { WebhookDelivery, WebhookEndpoint } from './webhook-types.ts'
import { findUrlFault } from './webhook-url.ts'

/** Webhooks as the doors ask for them: of the viewer's own account. FORBIDDEN without the scope `admin`. */
export type Webhooks = {
  endpoints(viewer: Viewer): Promise<readonly WebhookEndpoint[]>
  findEndpoint(viewer: Viewer, id: string): Promise<WebhookEndpoint | undefined>
  create(viewer: Viewer, input: EndpointInput): ReturnType<Endpoints['create']>
  update(viewer: Viewer, id: string, change: EndpointChange): Promise<WebhookEndpoint>
  rotate(viewer: Viewer, id: string): ReturnType<Endpoints['rotate']>
  delete(viewer: Viewer, id: string): Promise<void>
  deliveries(
    viewer: Viewer,
    endpointId: string,
    page: { before: string | null; limit: number },
  ): Promise<readonly WebhookDelivery[]>
  findDelivery(viewer: Viewer, id: string): Promise<WebhookDelivery | undefined>
  redeliver(viewer: Viewer, id: string): Promise<WebhookDelivery>
  /** What messages to the address that a generation brought with it are signed with. */
  secretOfAddress(viewer: Viewer, url: string): string
}

export function createWebhooks(deps: {
  readonly endpoints: Endpoints
  readonly log: DeliveryLog
  readonly secrets: Pick<SigningSecrets, 'ofAddress'>
}): Webhooks {
  const { endpoints, log, secrets } = deps
  const account = (viewer: Viewer): string => {
    if (viewer.scopes.includes('admin')) return viewer.accountId
    throw new RequestError('FORBIDDEN', 'Webhooks need the scope admin.')
  }
  return {
    endpoints: async (viewer) => endpoints.list(account(viewer)),
    findEndpoint: async (viewer, id) => endpoints.find(account(viewer), id),
    create: async (viewer, input) => endpoints.create(account(viewer), input),
    update: async (viewer, id, change) => endpoints.update(account(viewer), id, change),
    rotate: async (viewer, id) => endpoints.rotate(account(viewer), id),
    delete: async (viewer, id) => endpoints.delete(account(viewer), id),
    async deliveries(viewer, endpointId, page) {
      const endpoint = await endpoints.find(account(viewer), endpointId)
      return endpoint ? log.list(endpointId, page) : []
    },
    findDelivery: async (viewer, id) => log.find(account(viewer), id),
    redeliver: async (viewer, id) => log.redeliver(account(viewer), id),
    secretOfAddress: ({ accountId }, url) => secrets.ofAddress(accountId, url)[0].reveal(),
  }
}

/**
 * May this caller have messages of one generation sent there? An access token may not: it is in the hands of an end user,
 * who would be told what signs them.
 */
export function createWebhookUrlCheck(trustedOrigins: readonly string[]) {
  return ({ tokenId }: Viewer, url: string): FieldProblem | null => {
    const fault =
      tokenId === null
        ? findUrlFault(url, trustedOrigins)
        : 'An access token cannot name an address for webhooks. Send the request with an API key, or make an endpoint.'
    return fault === null ? null : { path: 'webhookUrl', message: fault, allowed: [] }
  }
}
