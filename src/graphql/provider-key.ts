import { InvalidInputError, NotFoundError } from '../errors.ts'
import type { Builder } from './builder.ts'
import { resolveProvider } from './provider.ts'

export function registerProviderKey(builder: Builder): void {
  builder.objectType('ProviderKey', {
    description: "A key of the account's own for a provider. It is kept encrypted and never shown again.",
    fields: (t) => ({
      provider: t.field({
        type: 'Provider',
        description: 'The provider that it is for.',
        resolve: ({ provider }, _args, { services }) => resolveProvider(services.models, provider),
      }),
      hint: t.exposeString('hint', {
        description: 'Its last characters, to tell keys apart; only dots for a short one.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was set.' }),
    }),
  })
  builder.objectFields('Account', (t) => ({
    providerKeys: t.field({
      type: ['ProviderKey'],
      authScopes: { admin: true },
      complexity: { field: 5, multiplier: 10 },
      description: 'Its own keys for providers, without the keys.',
      resolve: (_account, _args, { services, viewer }) => services.accounts.providerKeys(viewer),
    }),
  }))
  registerSet(builder)
  registerRemove(builder)
}

function registerSet(builder: Builder): void {
  builder.objectType('SetProviderKeySuccess', {
    description: 'From now on it pays for the models of its provider, and they cost the account no credits.',
    fields: (t) => ({
      providerKey: t.field({ type: 'ProviderKey', description: 'The key.', resolve: ({ providerKey }) => providerKey }),
    }),
  })
  builder.mutationField('setProviderKey', (t) =>
    t.field({
      type: 'SetProviderKeySuccess',
      errors: {
        types: [InvalidInputError],
        union: { name: 'SetProviderKeyResult', description: 'The key, or why it was not taken.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description:
        "Keeps a key of the account's own for a provider, in the place of an earlier one. Encrypted, never shown again; generations that it pays cost no credits.",
      args: {
        provider: t.arg.id({ required: true, description: 'Id of the provider, or another name of it.' }),
        apiKey: t.arg({
          type: 'Secret',
          required: true,
          description: 'As the provider shows it. Send it in a variable.',
        }),
      },
      resolve: async (_root, { provider, apiKey }, { services, viewer }) => ({
        providerKey: await services.accounts.setProviderKey(viewer, provider, apiKey),
      }),
    }),
  )
}

function registerRemove(builder: Builder): void {
  builder.objectType('RemoveProviderKeySuccess', {
    description: 'The key is gone. Generations that still wait to be paid by it fail; no other key pays in its place.',
    fields: (t) => ({
      provider: t.field({
        type: 'Provider',
        description: 'The provider that it was for.',
        resolve: ({ provider }, _args, { services }) => resolveProvider(services.models, provider),
      }),
    }),
  })
  builder.mutationField('removeProviderKey', (t) =>
    t.field({
      type: 'RemoveProviderKeySuccess',
      errors: {
        types: [NotFoundError],
        union: { name: 'RemoveProviderKeyResult', description: 'The provider, or why there was nothing to remove.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description: "Takes away the account's own key for a provider.",
      args: { provider: t.arg.id({ required: true, description: 'Id of the provider, or another name of it.' }) },
      resolve: async (_root, { provider }, { services, viewer }) => ({
        provider: await services.accounts.removeProviderKey(viewer, provider),
      }),
    }),
  )
}
