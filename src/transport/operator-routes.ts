import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { authenticateOrRefuse, headerCredentials } from './credentials.ts'
import type { RequestInfo } from './request-facts.ts'
import { headerOf, isLocalCaller } from './request-facts.ts'
import { sendError, sendJson } from './response-headers.ts'
import type { Authenticate, Readiness } from './server-options.ts'

/** Liveness: the process answers. Says nothing else, so it needs no key. */
export function answerHealth(response: ServerResponse): void {
  sendJson(response, 200, { status: 'ok' })
}

/** Readiness fails first while draining. Which part is missing stands in the log, not in a public answer. */
export async function answerReadiness(
  response: ServerResponse,
  deps: { draining: boolean; readiness(): Promise<Readiness>; logger: Logger },
): Promise<void> {
  if (deps.draining) return sendJson(response, 503, { status: 'draining' })
  const status = await deps.readiness().catch((error: unknown) => {
    deps.logger.warn({ error }, 'The readiness check failed.')
    return 'unavailable' as const
  })
  sendJson(response, status === 'unavailable' ? 503 : 200, { status })
}

/** For callers on this machine, where the setting trusts them, or with a key of scope `admin`: figures tell much about a business. */
export async function answerMetrics(
  { request, response, info }: { request: IncomingMessage; response: ServerResponse; info: RequestInfo },
  deps: { authenticate: Authenticate; metrics: Metrics; config: { metrics: string } },
): Promise<void> {
  if (deps.config.metrics !== 'local' || !isLocalCaller(request)) {
    const credentials = headerCredentials(info, headerOf(request, 'authorization'))
    const viewer = await authenticateOrRefuse(deps.authenticate, credentials)
    if (!viewer.scopes.includes('admin')) {
      return sendError(response, { status: 403, code: 'FORBIDDEN', message: 'Metrics need the scope admin.' })
    }
  }
  response.setHeader('content-type', deps.metrics.contentType)
  response.end(await deps.metrics.render())
}
