import { authenticateOrRefuse } from './credentials.ts'
import type { TransportPlugin } from './plugin-context.ts'
import type { Authenticate } from './server-options.ts'

/** Before a document is parsed: who may not call learns nothing of the schema and costs nothing. Sockets have a viewer. */
export function createAuthenticationPlugin(authenticate: Authenticate): TransportPlugin {
  return {
    async onParams({ context: { scope } }) {
      scope.viewer ??= await authenticateOrRefuse(authenticate, scope.credentials)
    },
  }
}
