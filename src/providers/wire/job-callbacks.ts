import type { ProviderCall } from '../provider.ts'
import type { Polling } from './polling.ts'

/** The pauses of a poll that the vendor's call about this part may end; by the clock alone where it cannot call. */
export function pausesOf({ callbacks }: Pick<ProviderCall, 'callbacks'>, part: number): Pick<Polling, 'pause'> {
  return callbacks ? { pause: (ms, signal) => callbacks.pause(part, ms, signal) } : {}
}
