import type { ExecutionResult } from 'graphql'
import type { MetricLabel, Metrics } from '../metrics.ts'
import type { OperationScope } from './operation-scope.ts'

/** Starts a measurement; call what it returns with the HTTP status, or on a socket with the result. */
export function observeOperation(metrics: Metrics, scope: OperationScope): (outcome: number | ExecutionResult) => void {
  const startedAt = performance.now()
  return (outcome) => {
    const transport = scope.transport === 'websocket' ? 'websocket' : scope.events ? 'sse' : 'http'
    const label = typeof outcome === 'number' ? ofStatus(outcome) : ofResult(outcome)
    metrics.graphqlOperation(scope.operation, transport, label, (performance.now() - startedAt) / 1000)
  }
}

function ofStatus(status: number): MetricLabel<'operationOutcome'> {
  if (status < 300) return 'ok'
  if (status >= 500) return 'failed'
  return status === 401 || status === 403 || status === 429 ? 'refused' : 'invalid'
}

const REFUSALS: readonly unknown[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED']

function ofResult(result: ExecutionResult): MetricLabel<'operationOutcome'> {
  const [error] = result.errors ?? []
  if (!error) return 'ok'
  if (result.data) return 'partial'
  const { code } = error.extensions
  if (code === 'INTERNAL' || code === 'UNAVAILABLE') return 'failed'
  return REFUSALS.includes(code) ? 'refused' : 'invalid'
}
