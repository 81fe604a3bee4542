import { InvalidInputError } from '../errors.ts'
import type { Builder } from './builder.ts'

export function registerAccessToken(builder: Builder): void {
  builder.objectType('CreateTokenSuccess', {
    description: 'A token that a browser may hold.',
    fields: (t) => ({
      accessToken: t.exposeString('accessToken', { description: 'Send it as `Authorization: Bearer …`.' }),
      tokenType: t.string({ description: 'Always "Bearer".', resolve: () => 'Bearer' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends.' }),
    }),
  })
  const input = registerInput(builder)
  builder.mutationField('createToken', (t) =>
    t.field({
      type: 'CreateTokenSuccess',
      errors: {
        types: [InvalidInputError],
        union: { name: 'CreateTokenResult', description: 'The token, or why there is none.' },
      },
      // A key acts. A token could otherwise make itself one for another end user, or one that outlives it.
      authScopes: (_root, _args, { viewer }) => viewer.tokenId === null && { generate: true, admin: true },
      complexity: 100,
      description: 'Exchanges an API key for a short-lived token that a browser may hold.',
      args: { input: t.arg({ type: input, required: true, description: 'What the token may do.' }) },
      resolve: (_root, args, { services, viewer }) =>
        services.accounts.createToken(viewer, {
          endUser: args.input.endUser ?? null,
          expiresInSeconds: args.input.expiresInSeconds,
          scopes: args.input.scopes ?? null,
          models: args.input.models ?? null,
          maxSpend: args.input.maxSpend ?? null,
        }),
    }),
  )
}

function registerInput(builder: Builder) {
  return builder.inputType('CreateTokenInput', {
    description: 'What a token may do: never more than the key that makes it.',
    fields: (t) => ({
      endUser: t.string({
        description:
          "Whose browser it is; generations made with the token carry it as `endUser`, and see only that user's history.",
      }),
      expiresInSeconds: t.int({ required: true, defaultValue: 900, description: 'How long it lives.' }),
      scopes: t.stringList({ description: '`generate`, `read`; without it, those of them that the key has.' }),
      models: t.stringList({ description: 'Models that it is restricted to; without it, all.' }),
      maxSpend: t.field({
        type: 'Decimal',
        description: "What it may spend in its life, in the server's currency; without it, no cap of its own.",
      }),
    }),
  })
}
