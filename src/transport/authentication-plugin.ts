import { authenticateOrRefuse } from './credentials.ts'
import type { TransportPlugin } from './plugin-context.ts'
import type { Authenticate, OperationLimits } from './server-options.ts'

/**
 * Before a document is parsed: who may not call, or not now, learns nothing of the schema and costs nothing. Sockets have a
 * viewer.
 */
export function createAuthenticationPlugin(deps: {
  readonly authenticate: Authenticate
  readonly rateLimits?: OperationLimits
}): TransportPlugin {
  return {
    async onParams({ context: { scope } }) {
      scope.viewer ??= await authenticateOrRefuse(deps.authenticate, scope.credentials)
      await deps.rateLimits?.countOperation(scope.viewer)
    },
  }
}
