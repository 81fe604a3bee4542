import type { Clock } from '../clock.ts'
import type { ModelUnavailableReason } from '../errors.ts'
import type { Model } from '../providers/model.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'
import type { Viewer } from '../viewer.ts'
import type { ProviderHealth } from './services.ts'

/** Kept by the worker's gate, read at admission. */
export type ProviderHealthBoard = { health(providerId: string): ProviderHealth }

export type ModelAvailability = {
  /** Why this viewer cannot use the model right now; null: it can. */
  reason(viewer: Viewer, model: Model): { reason: ModelUnavailableReason; message: string } | null
}

export function createModelAvailability(deps: {
  providers: ProviderRegistry
  health: ProviderHealthBoard
  clock: Clock
}): ModelAvailability {
  const { providers, health, clock } = deps
  return {
    reason(viewer, model) {
      const { state, retiresAt, replacement } = model.lifecycle
      if (viewer.models !== null && !viewer.models.includes(model.id)) {
        return { reason: 'NOT_ALLOWED', message: `This token may not use ${model.id}.` }
      }
      if (state === 'RETIRED' || (retiresAt !== null && retiresAt <= clock.now())) {
        const hint = replacement === null ? '' : ` Use ${replacement}.`
        return { reason: 'RETIRED', message: `${model.id} has been retired by its provider.${hint}` }
      }
      const provider = providers.find(model.provider)
      if (!provider?.configured) {
        return { reason: 'NOT_CONFIGURED', message: `The provider ${model.provider} has no key on this server.` }
      }
      const { state: healthState, message } = health.health(model.provider)
      if (healthState === 'DOWN') {
        return { reason: 'DOWN', message: message ?? `The provider ${model.provider} does not answer at present.` }
      }
      return null
    },
  }
}
