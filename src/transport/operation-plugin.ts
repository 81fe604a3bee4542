import type { ExecutionResult } from 'graphql'
import { acceptsStream } from './content-negotiation.ts'
import { refusal } from './graphql-errors.ts'
import type { TransportLimits } from './limits.ts'
import type { OperationGuard } from './operation-guard.ts'
import type { OperationScope } from './operation-scope.ts'
import type { TransportPlugin } from './plugin-context.ts'
import type { Scheduler } from './scheduler.ts'
import type { SubscriptionPlaces } from './subscription-places.ts'

export type OperationPluginDeps = {
  readonly guard: OperationGuard
  readonly places: SubscriptionPlaces
  readonly scheduler: Scheduler
  readonly limits: TransportLimits
}

/** Lets operations run: guarded, in bounded time, and subscriptions in bounded number. */
export function createOperationPlugin(deps: OperationPluginDeps): TransportPlugin {
  const { guard, limits, scheduler } = deps
  return {
    onExecute({ args, executeFn, setExecuteFn, setResultAndStopExecution }) {
      const { scope } = args.contextValue
      const errors = guard(args, scope)
      if (errors) return setResultAndStopExecution({ errors: [...errors] })
      setExecuteFn((given) => executeWithin(limits.executionMs, executeFn(given), scope, scheduler))
    },
    async onSubscribe({ args, setResultAndStopExecution }) {
      const { scope, request } = args.contextValue
      const errors = guard(args, scope)
      if (errors) return setResultAndStopExecution({ errors: [...errors] })
      // Subscribing first and refusing after, as the result processor would, leaks the source for good.
      if (scope.transport === 'http' && !acceptsStream(request)) {
        const message = 'A subscription is answered as text/event-stream, or over a WebSocket.'
        return setResultAndStopExecution({ errors: [refusal('NOT_ACCEPTABLE', message)] })
      }
      if (!(await takePlace(deps, scope))) {
        return setResultAndStopExecution({
          errors: [refusal('RATE_LIMITED', 'The account has too many subscriptions open.')],
        })
      }
    },
  }
}

async function takePlace(deps: OperationPluginDeps, scope: OperationScope): Promise<boolean> {
  const { viewer } = scope
  if (!viewer) return false
  const leave = await deps.places.take(viewer, scope.transport === 'http' ? 'sse' : 'websocket')
  if (!leave) return false
  scope.onEnd(leave)
  return true
}

type MaybePromise<T> = T | Promise<T>

function executeWithin<Result extends object>(
  limitMs: number,
  result: MaybePromise<Result>,
  scope: OperationScope,
  scheduler: Scheduler,
): MaybePromise<Result | ExecutionResult> {
  if (!(result instanceof Promise)) return result
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(limitMs, () => {
      scope.abort()
      const message = 'The operation took too long. What it began may still be completed.'
      resolve({ errors: [refusal('UNAVAILABLE', message)] })
    })
    result.then(resolve, reject).finally(cancel)
  })
}
