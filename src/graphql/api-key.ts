import { InvalidInputError, NotFoundError } from '../errors.ts'
import type { Builder } from './builder.ts'

export function registerApiKey(builder: Builder): void {
  registerType(builder)
  registerCreate(builder)
  registerRevoke(builder)
}

function registerType(builder: Builder): void {
  builder.objectType('ApiKey', {
    description: 'A key of an account. Its secret is shown once, when it is made.',
    interfaces: ['Node'],
    fields: (t) => ({
      name: t.exposeString('name', { description: 'What it is for.' }),
      prefix: t.exposeString('prefix', { description: 'First characters of the secret, to tell keys apart.' }),
      scopes: t.stringList({ description: 'What it may do.', resolve: ({ scopes }) => scopes }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
      lastUsedAt: t.expose('lastUsedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was last used, to within some minutes; null: never.',
      }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When it ends; null: never.' }),
      revokedAt: t.expose('revokedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was revoked; null: it was not.',
      }),
    }),
  })
}

function registerCreate(builder: Builder): void {
  const input = registerCreateInput(builder)
  builder.objectType('CreateApiKeySuccess', {
    description: 'The key was made. `secret` is shown this once.',
    fields: (t) => ({
      apiKey: t.field({ type: 'ApiKey', description: 'The key.', resolve: ({ apiKey }) => apiKey }),
      secret: t.exposeString('secret', { description: 'Send it as `Authorization: Bearer …`. Not shown again.' }),
    }),
  })
  builder.mutationField('createApiKey', (t) =>
    t.field({
      type: 'CreateApiKeySuccess',
      errors: {
        types: [InvalidInputError],
        union: { name: 'CreateApiKeyResult', description: 'The key, or why there is none.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description: 'Makes a key for the account.',
      args: { input: t.arg({ type: input, required: true, description: 'The key to make.' }) },
      resolve: (_root, args, { services, viewer }) =>
        services.accounts.createApiKey(viewer, {
          name: args.input.name,
          scopes: args.input.scopes ?? null,
          expiresAt: args.input.expiresAt ?? null,
          dailySpend: args.input.dailySpend ?? null,
        }),
    }),
  )
}

function registerRevoke(builder: Builder): void {
  builder.objectType('RevokeApiKeySuccess', {
    description: 'The key no longer opens anything, nor do the tokens made with it.',
    fields: (t) => ({
      apiKey: t.field({ type: 'ApiKey', description: 'The key.', resolve: ({ apiKey }) => apiKey }),
    }),
  })
  builder.mutationField('revokeApiKey', (t) =>
    t.field({
      type: 'RevokeApiKeySuccess',
      errors: {
        types: [NotFoundError],
        union: { name: 'RevokeApiKeyResult', description: 'The revoked key, or why there is none.' },
      },
      authScopes: { admin: true },
      complexity: 100,
      description: 'Ends a key of the account, now and for good.',
      args: { id: t.arg.id({ required: true, description: 'Id of the key.' }) },
      resolve: async (_root, { id }, { services, viewer }) => ({
        apiKey: await services.accounts.revokeApiKey(viewer, id),
      }),
    }),
  )
}

function registerCreateInput(builder: Builder) {
  return builder.inputType('CreateApiKeyInput', {
    description: 'The key to make.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'What it is for.' }),
      scopes: t.stringList({ description: '`generate`, `read`, `admin`; without it, `generate` and `read`.' }),
      expiresAt: t.field({ type: 'DateTime', description: 'When it ends; without it, never.' }),
      dailySpend: t.field({
        type: 'Decimal',
        description: "What it may spend in a UTC day, in the server's currency; without it, no cap of its own.",
      }),
    }),
  })
}
