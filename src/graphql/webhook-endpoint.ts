import { InvalidInputError, NotFoundError } from '../errors.ts'
import type { Builder } from './builder.ts'

export function registerWebhookEndpoint(builder: Builder): void {
  registerEnums(builder)
  registerType(builder)
  registerCreate(builder)
  registerUpdate(builder)
  registerRotate(builder)
  registerDelete(builder)
}

function registerEnums(builder: Builder): void {
  builder.enumType('WebhookEventType', {
    description: 'What an endpoint can be told of.',
    values: {
      GENERATION_STARTED: {
        description: 'A provider is being asked; again after a pause, where the first try failed.',
      },
      GENERATION_COMPLETED: { description: 'It ended with at least one image.' },
      GENERATION_FAILED: { description: 'It ended with none.' },
      GENERATION_CANCELED: { description: 'It was canceled before there was any.' },
    },
  })
  builder.enumType('WebhookEndpointState', {
    description: 'Is anything sent there?',
    values: {
      ACTIVE: { description: 'Yes.' },
      DISABLED_BY_OWNER: { description: 'No, by `updateWebhookEndpoint`.' },
      DISABLED_BY_FAILURES: {
        description: 'No: nothing arrived there for five days, or it answered 410. Enable it when it works again.',
      },
    },
  })
}

function registerType(builder: Builder): void {
  builder.objectType('WebhookEndpoint', {
    description: 'Where the account is told of its generations. Messages are signed by Standard Webhooks.',
    interfaces: ['Node'],
    fields: (t) => ({
      url: t.field({ type: 'URL', description: 'Where messages are sent.', resolve: ({ url }) => url }),
      events: t.field({
        type: ['WebhookEventType'],
        description: 'What it is told of.',
        resolve: ({ events }) => events,
      }),
      state: t.field({
        type: 'WebhookEndpointState',
        description: 'Is anything sent there?',
        resolve: ({ state }) => state,
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    }),
  })
  builder.objectFields('Account', (t) => ({
    webhookEndpoints: t.field({
      type: ['WebhookEndpoint'],
      authScopes: { admin: true },
      complexity: { field: 5, multiplier: 10 },
      description: 'Where it is told of its generations.',
      resolve: (_account, _args, { services, viewer }) => services.webhooks.endpoints(viewer),
    }),
  }))
}

function registerCreate(builder: Builder): void {
  const input = builder.inputType('CreateWebhookEndpointInput', {
    description: 'The endpoint to make.',
    fields: (t) => ({
      url: t.field({ type: 'URL', required: true, description: 'Public, and begins with https://.' }),
      events: t.field({ type: ['WebhookEventType'], required: true, description: 'What it is told of.' }),
    }),
  })
  builder.objectType('CreateWebhookEndpointSuccess', {
    description: 'The endpoint was made. `signingSecret` is shown this once.',
    fields: (t) => ({
      endpoint: t.field({ type: 'WebhookEndpoint', description: 'The endpoint.', resolve: ({ endpoint }) => endpoint }),
      signingSecret: t.exposeString('signingSecret', { description: 'whsec_…: what its messages are signed with.' }),
    }),
  })
  builder.mutationField('createWebhookEndpoint', (t) =>
    t.field({
      type: 'CreateWebhookEndpointSuccess',
      errors: {
        types: [InvalidInputError],
        union: { name: 'CreateWebhookEndpointResult', description: 'The endpoint, or why there is none.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description: 'Has the account told of its generations at an address.',
      args: { input: t.arg({ type: input, required: true, description: 'The endpoint to make.' }) },
      resolve: (_root, args, { services, viewer }) => services.webhooks.create(viewer, args.input),
    }),
  )
}

function registerUpdate(builder: Builder): void {
  const input = builder.inputType('UpdateWebhookEndpointInput', {
    description: 'What to change; what is left out stays.',
    fields: (t) => ({
      url: t.field({ type: 'URL', description: 'Another address.' }),
      events: t.field({ type: ['WebhookEventType'], description: 'Other events.' }),
      enabled: t.boolean({ description: 'false: nothing is sent there, and what waits is given up.' }),
    }),
  })
  builder.objectType('UpdateWebhookEndpointSuccess', {
    description: 'The endpoint was changed.',
    fields: (t) => ({
      endpoint: t.field({ type: 'WebhookEndpoint', description: 'As it is now.', resolve: ({ endpoint }) => endpoint }),
    }),
  })
  builder.mutationField('updateWebhookEndpoint', (t) =>
    t.field({
      type: 'UpdateWebhookEndpointSuccess',
      errors: {
        types: [InvalidInputError, NotFoundError],
        union: { name: 'UpdateWebhookEndpointResult', description: 'The endpoint, or why it was not changed.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description: 'Changes an endpoint of the account.',
      args: {
        id: t.arg.id({ required: true, description: 'Id of the endpoint.' }),
        input: t.arg({ type: input, required: true, description: 'What to change.' }),
      },
      resolve: async (_root, { id, input: { url, events, enabled } }, { services, viewer }) => {
        const change = { url: url ?? null, events: events ?? null, enabled: enabled ?? null }
        return { endpoint: await services.webhooks.update(viewer, id, change) }
      },
    }),
  )
}

function registerRotate(builder: Builder): void {
  builder.objectType('RotateWebhookSecretSuccess', {
    description: 'There is a new secret. `signingSecret` is shown this once.',
    fields: (t) => ({
      endpoint: t.field({ type: 'WebhookEndpoint', description: 'The endpoint.', resolve: ({ endpoint }) => endpoint }),
      signingSecret: t.exposeString('signingSecret', { description: 'whsec_…: what signs from now on.' }),
      previousSecretExpiresAt: t.expose('previousSecretExpiresAt', {
        type: 'DateTime',
        description: 'Until when the replaced one signs too.',
      }),
    }),
  })
  builder.mutationField('rotateWebhookSecret', (t) =>
    t.field({
      type: 'RotateWebhookSecretSuccess',
      errors: {
        types: [NotFoundError],
        union: { name: 'RotateWebhookSecretResult', description: 'The new secret, or why there is none.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description: "Replaces an endpoint's secret. Both sign for a day, so that no message is refused meanwhile.",
      args: { id: t.arg.id({ required: true, description: 'Id of the endpoint.' }) },
      resolve: (_root, { id }, { services, viewer }) => services.webhooks.rotate(viewer, id),
    }),
  )
}

function registerDelete(builder: Builder): void {
  builder.objectType('DeleteWebhookEndpointSuccess', {
    description: 'The endpoint is gone, and what was on its way to it.',
    fields: (t) => ({ id: t.exposeID('id', { description: 'Its id, for client caches.' }) }),
  })
  builder.mutationField('deleteWebhookEndpoint', (t) =>
    t.field({
      type: 'DeleteWebhookEndpointSuccess',
      errors: {
        types: [NotFoundError],
        union: { name: 'DeleteWebhookEndpointResult', description: 'That it is gone, or why not.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description: 'Takes an endpoint of the account away.',
      args: { id: t.arg.id({ required: true, description: 'Id of the endpoint.' }) },
      resolve: async (_root, { id }, { services, viewer }) => {
        await services.webhooks.delete(viewer, id)
        return { id }
      },
    }),
  )
}
