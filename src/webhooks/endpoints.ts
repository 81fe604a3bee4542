import type { Clock } from '../clock.ts'
import { type FieldProblem, InvalidInputError, NotFoundError } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Database } from '../store/handles.ts'
import { failDeliveriesOfEndpoint } from '../store/webhook-delivery-store.ts'
import {
  deleteWebhookEndpoint,
  findWebhookEndpoint,
  insertWebhookEndpoint,
  listWebhookEndpoints,
  updateWebhookEndpoint,
} from '../store/webhook-endpoint-store.ts'
import type { WebhookEndpointRow, WebhookEventType } from '../store/webhook-tables.ts'
import { readEvents } from './outbox.ts'
import { OVERLAP_MS, type SigningSecrets } from './signing-secrets.ts'
import { WEBHOOK_EVENTS, type WebhookEndpoint } from './webhook-types.ts'
import { findUrlFault } from './webhook-url.ts'

export type EndpointInput = { readonly url: string; readonly events: readonly WebhookEventType[] }
export type EndpointChange = {
  readonly url: string | null
  readonly events: readonly WebhookEventType[] | null
  readonly enabled: boolean | null
}

/** Endpoints of accounts. Secrets are given out once, when they are made. */
export type Endpoints = {
  list(accountId: string): Promise<readonly WebhookEndpoint[]>
  find(accountId: string, id: string): Promise<WebhookEndpoint | undefined>
  /** InvalidInput. */
  create(accountId: string, input: EndpointInput): Promise<{ endpoint: WebhookEndpoint; signingSecret: string }>
  /** InvalidInput, NotFound. To enable one that failures had disabled is to start afresh. */
  update(accountId: string, id: string, change: EndpointChange): Promise<WebhookEndpoint>
  /** NotFound. The replaced secret signs too until its time is over; one that was replaced before signs no more. */
  rotate(
    accountId: string,
    id: string,
  ): Promise<{ endpoint: WebhookEndpoint; signingSecret: string; previousSecretExpiresAt: number }>
  /** NotFound. What is on its way goes with it. */
  delete(accountId: string, id: string): Promise<void>
}

export const MAX_ENDPOINTS = 20

export function createEndpoints(deps: {
  readonly database: Database
  readonly secrets: SigningSecrets
  readonly clock: Clock
  readonly ids: Ids
  readonly trustedOrigins: readonly string[]
}): Endpoints {
  const { database, secrets, clock, ids, trustedOrigins } = deps

  async function get(accountId: string, id: string): Promise<WebhookEndpointRow> {
    const row = await findWebhookEndpoint(database.read, id)
    if (row?.accountId !== accountId) throw new NotFoundError('webhook endpoint')
    return row
  }

  async function change(row: WebhookEndpointRow, to: Partial<WebhookEndpointRow>): Promise<WebhookEndpoint> {
    const wasThere = await database.transact(async (trx) => {
      if (to.state === 'DISABLED_BY_OWNER') await failDeliveriesOfEndpoint(trx, row.id, 'The endpoint was disabled.')
      return updateWebhookEndpoint(trx, row, to)
    })
    if (!wasThere) throw new NotFoundError('webhook endpoint')
    return toEndpoint({ ...row, ...to })
  }

  return {
    list: async (accountId) => (await listWebhookEndpoints(database.read, accountId)).map(toEndpoint),

    async find(accountId, id) {
      const row = await findWebhookEndpoint(database.read, id)
      return row?.accountId === accountId ? toEndpoint(row) : undefined
    },

    async create(accountId, input) {
      assertFits(input, trustedOrigins)
      const secret = secrets.create()
      const id = ids.next('whk')
      const row: WebhookEndpointRow = {
        id,
        accountId,
        url: input.url,
        events: JSON.stringify(input.events),
        state: 'ACTIVE',
        secret: secrets.seal(secret, { id, accountId }),
        previousSecret: null,
        previousSecretExpiresAt: null,
        failingSince: null,
        createdAt: clock.now(),
      }
      await database.transact(async (trx) => {
        if ((await listWebhookEndpoints(trx, accountId)).length >= MAX_ENDPOINTS) throw tooMany()
        await insertWebhookEndpoint(trx, row)
      })
      return { endpoint: toEndpoint(row), signingSecret: secret.reveal() }
    },

    async update(accountId, id, { url, events, enabled }) {
      const row = await get(accountId, id)
      assertFits({ url: url ?? row.url, events: events ?? readEvents(row.events) }, trustedOrigins)
      return change(row, {
        ...(url !== null && { url }),
        ...(events !== null && { events: JSON.stringify(events) }),
        ...(enabled === true && { state: 'ACTIVE', failingSince: null }),
        ...(enabled === false && { state: 'DISABLED_BY_OWNER' }),
      })
    },

    async rotate(accountId, id) {
      const row = await get(accountId, id)
      const secret = secrets.create()
      const previousSecretExpiresAt = clock.now() + OVERLAP_MS
      const endpoint = await change(row, {
        secret: secrets.seal(secret, row),
        previousSecret: row.secret,
        previousSecretExpiresAt,
      })
      return { endpoint, signingSecret: secret.reveal(), previousSecretExpiresAt }
    },

    async delete(accountId, id) {
      const wasThere = await database.transact((trx) => deleteWebhookEndpoint(trx, { id, accountId }))
      if (!wasThere) throw new NotFoundError('webhook endpoint')
    },
  }
}

function assertFits({ url, events }: EndpointInput, trustedOrigins: readonly string[]): void {
  const fault = findUrlFault(url, trustedOrigins)
  const problems: FieldProblem[] = []
  if (fault !== null) problems.push({ path: 'input.url', message: fault, allowed: [] })
  if (events.length === 0) {
    problems.push({ path: 'input.events', message: 'Name at least one event.', allowed: WEBHOOK_EVENTS })
  } else if (new Set(events).size < events.length) {
    problems.push({ path: 'input.events', message: 'An event is listed twice.', allowed: [] })
  }
  if (problems.length > 0) throw new InvalidInputError(problems)
}

function tooMany(): InvalidInputError {
  const message = `An account may have ${MAX_ENDPOINTS} endpoints. Delete one, or change the events of one.`
  return new InvalidInputError([{ path: 'input', message, allowed: [] }])
}

function toEndpoint({ id, accountId, url, events, state, createdAt }: WebhookEndpointRow): WebhookEndpoint {
  return { id, accountId, url, events: readEvents(events), state, createdAt }
}
