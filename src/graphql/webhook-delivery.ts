import { NotFoundError } from '../errors.ts'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../generation/page-limits.ts'
import type { Builder } from './builder.ts'
import { encodeCursor, readPageArguments } from './pagination.ts'
import type { WebhookDeliveryConnection } from './schema-types.ts'

export function registerWebhookDelivery(builder: Builder): void {
  registerState(builder)
  registerType(builder)
  registerConnection(builder)
  registerRedeliver(builder)
}

function registerState(builder: Builder): void {
  builder.enumType('WebhookDeliveryState', {
    description: 'How far a message has come.',
    values: {
      PENDING: { description: 'On its way, or to be sent again.' },
      DELIVERED: { description: 'The receiver answered with a 2xx.' },
      FAILED: { description: 'Given up. `redeliverWebhook` sends it again.' },
    },
  })
}

function registerType(builder: Builder): void {
  builder.objectType('WebhookDelivery', {
    description: 'A message to an endpoint, and what came of it. Kept for 30 days.',
    interfaces: ['Node'],
    fields: (t) => ({
      messageId: t.exposeString('messageId', {
        description: 'The header `webhook-id`: the same however often it is sent, for receivers that have seen it.',
      }),
      event: t.field({ type: 'WebhookEventType', description: 'What it tells of.', resolve: ({ event }) => event }),
      generation: t.field({
        type: 'Generation',
        nullable: true,
        complexity: 5,
        description: 'Whose event it was; null: it is gone.',
        resolve: async ({ generationId }, _args, { services, viewer }) =>
          (await services.reader.find(viewer, generationId)) ?? null,
      }),
      state: t.field({
        type: 'WebhookDeliveryState',
        description: 'How far it has come.',
        resolve: ({ state }) => state,
      }),
      attempts: t.exposeInt('attempts', { description: 'How often it was sent.' }),
      lastResponseStatus: t.exposeInt('lastResponseStatus', {
        nullable: true,
        description: 'What the receiver answered the last time; null: nothing.',
      }),
      lastError: t.exposeString('lastError', { nullable: true, description: 'Why it did not arrive the last time.' }),
      nextAttemptAt: t.expose('nextAttemptAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it is sent next; null: not again.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the event was.' }),
      deliveredAt: t.expose('deliveredAt', { type: 'DateTime', nullable: true, description: 'When it arrived.' }),
    }),
  })
}

function registerConnection(builder: Builder): void {
  builder.objectType('WebhookDeliveryEdge', {
    description: 'A message in its list.',
    fields: (t) => ({
      cursor: t.string({ description: 'Pass it as `after`.', resolve: ({ id }) => encodeCursor(id) }),
      node: t.field({ type: 'WebhookDelivery', description: 'The message.', resolve: (delivery) => delivery }),
    }),
  })
  builder.objectType('WebhookDeliveryConnection', {
    description: 'A page of messages, the latest first.',
    fields: (t) => ({
      edges: t.field({
        type: ['WebhookDeliveryEdge'],
        complexity: { field: 1, multiplier: 1 },
        description: 'The messages with their cursors.',
        resolve: ({ items }) => items,
      }),
      nodes: t.field({
        type: ['WebhookDelivery'],
        complexity: { field: 1, multiplier: 1 },
        description: 'The messages alone.',
        resolve: ({ items }) => items,
      }),
      pageInfo: t.field({ type: 'PageInfo', description: 'Whether there is more.', resolve: pageInfoOf }),
    }),
  })
  builder.objectField('WebhookEndpoint', 'deliveries', (t) =>
    t.field({
      type: 'WebhookDeliveryConnection',
      complexity: ({ first }) => ({ field: 5, multiplier: first ?? DEFAULT_PAGE_SIZE }),
      description: 'What was sent there in the last 30 days.',
      args: {
        first: t.arg.int({ description: `How many: 1 to ${MAX_PAGE_SIZE}, else ${DEFAULT_PAGE_SIZE}.` }),
        after: t.arg.string({ description: 'Only what follows this cursor.' }),
      },
      async resolve({ id }, args, { services, viewer }) {
        const { limit, after } = readPageArguments(args, 'whd')
        const found = await services.webhooks.deliveries(viewer, id, { before: after, limit: limit + 1 })
        return { items: found.slice(0, limit), hasNextPage: found.length > limit, hasPreviousPage: after !== null }
      },
    }),
  )
}

function registerRedeliver(builder: Builder): void {
  builder.objectType('RedeliverWebhookSuccess', {
    description: 'It is on its way again.',
    fields: (t) => ({
      delivery: t.field({ type: 'WebhookDelivery', description: 'The message.', resolve: ({ delivery }) => delivery }),
    }),
  })
  builder.mutationField('redeliverWebhook', (t) =>
    t.field({
      type: 'RedeliverWebhookSuccess',
      errors: {
        types: [NotFoundError],
        union: { name: 'RedeliverWebhookResult', description: 'The message, or why there is none.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description: 'Sends a delivery again, with the same message id.',
      args: { id: t.arg.id({ required: true, description: 'Id of the delivery.' }) },
      resolve: async (_root, { id }, { services, viewer }) => ({
        delivery: await services.webhooks.redeliver(viewer, id),
      }),
    }),
  )
}

function pageInfoOf({ items, hasNextPage, hasPreviousPage }: WebhookDeliveryConnection) {
  const [first, last] = [items.at(0), items.at(-1)]
  return {
    hasNextPage,
    hasPreviousPage,
    startCursor: first ? encodeCursor(first.id) : null,
    endCursor: last ? encodeCursor(last.id) : null,
  }
}
