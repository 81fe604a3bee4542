import type { ModelService, ProviderSummary } from '../generation/services.ts'
import type { Builder } from './builder.ts'

/** A model whose provider was taken out of this server still belongs to one. */
export function resolveProvider(models: ModelService, id: string): ProviderSummary {
  const found = models.providers().find((provider) => provider.id === id)
  return found ?? { id, name: id, configured: false, health: { state: 'UNKNOWN', since: null, message: null } }
}

export function registerProvider(builder: Builder): void {
  builder.objectType('Provider', {
    description: 'A vendor of image models, as this server knows it.',
    interfaces: ['Node'],
    fields: (t) => ({
      name: t.exposeString('name', { description: 'For people.' }),
      configured: t.exposeBoolean('configured', {
        description:
          'Does this server have what it needs to use it? Otherwise only callers with a key of their own can.',
      }),
      models: t.field({
        type: ['Model'],
        complexity: { field: 1, multiplier: 20 },
        description: 'Its models.',
        resolve: async (provider, _args, { services, viewer }) =>
          (await services.models.list(viewer, null)).filter((model) => model.provider === provider.id),
      }),
      health: t.field({
        type: 'ProviderHealth',
        description: 'As seen by this server in its recent calls.',
        resolve: (provider) => provider.health,
      }),
    }),
  })
  registerHealth(builder)
  builder.queryField('providers', (t) =>
    t.field({
      type: ['Provider'],
      authScopes: { read: true },
      complexity: { field: 1, multiplier: 10 },
      description: 'The providers that this server knows.',
      resolve: (_root, _args, { services }) => services.models.providers(),
    }),
  )
}

function registerHealth(builder: Builder): void {
  builder.objectType('ProviderHealth', {
    description: 'How a provider does, seen from here.',
    fields: (t) => ({
      state: t.field({ type: 'HealthState', description: 'How it does.', resolve: (health) => health.state }),
      since: t.expose('since', { type: 'DateTime', nullable: true, description: 'Since when.' }),
      message: t.exposeString('message', { nullable: true, description: 'What was seen, for people.' }),
    }),
  })
  builder.enumType('HealthState', {
    description: 'How a provider does.',
    values: {
      UP: { description: 'Recent calls were answered.' },
      DEGRADED: { description: 'Some recent calls failed.' },
      DOWN: { description: 'Calls are held back until it answers again.' },
      UNKNOWN: { description: 'There were no recent calls.' },
    },
  })
}
