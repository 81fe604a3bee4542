import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import DataloaderPlugin from '@pothos/plugin-dataloader'
import ErrorsPlugin from '@pothos/plugin-errors'
import ScopeAuthPlugin, { type AuthFailure, AuthScopeFailureType } from '@pothos/plugin-scope-auth'
import { missingScope } from '../errors.ts'
import type { SchemaTypes } from './schema-types.ts'

export type Builder = ReturnType<typeof createBuilder>

/** A builder knows one schema: each call of `createSchema` takes a new one. */
export function createBuilder() {
  return new SchemaBuilder<SchemaTypes>({
    plugins: [ErrorsPlugin, ScopeAuthPlugin, DataloaderPlugin, ComplexityPlugin],
    defaultFieldNullability: false,
    errors: { directResult: true },
    scopeAuth: {
      defaultStrategy: 'any',
      authorizeOnSubscribe: true,
      authScopes: ({ viewer }) => ({
        generate: viewer.scopes.includes('generate'),
        read: viewer.scopes.includes('read'),
        admin: viewer.scopes.includes('admin'),
      }),
      unauthorizedError: (_parent, _context, info, { failure }) => missingScope(info.fieldName, scopesOf(failure)),
    },
    // The transport holds the cost against the limits before anything runs; see complexity.ts.
    complexity: { disabled: true, defaultComplexity: 1, defaultListMultiplier: 5 },
  })
}

/** Any one of which would have done. */
function scopesOf(failure: AuthFailure): readonly string[] {
  switch (failure.kind) {
    case AuthScopeFailureType.AuthScope:
      return [failure.scope]
    case AuthScopeFailureType.AnyAuthScopes:
    case AuthScopeFailureType.AllAuthScopes:
      return failure.failures.flatMap(scopesOf)
    default:
      return []
  }
}
