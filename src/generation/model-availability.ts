import type { Clock } from '../clock.ts'
import type { ModelUnavailableReason } from '../errors.ts'
import type { Model } from '../providers/model.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'
import type { KeySource } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import type { ProviderHealth } from './services.ts'

/** Kept by the worker's gate, read at admission. */
export type ProviderHealthBoard = { health(providerId: string): ProviderHealth }

/** What a caller has of its own to pay providers with. */
export type OwnKeys = {
  /** Providers for which the account keeps a key. */
  readonly stored: ReadonlySet<string>
  /** The provider that the key which came with the request is for; null: none came. */
  readonly given: string | null
}

export type ModelAvailability = {
  /** Whose key would pay: the request's before the account's, and that before the server's. */
  keySource(model: Model, keys: OwnKeys): KeySource
  /** Why this viewer cannot use the model right now; null: it can. */
  reason(viewer: Viewer, model: Model, keys: OwnKeys): { reason: ModelUnavailableReason; message: string } | null
}

export function createModelAvailability(deps: {
  providers: ProviderRegistry
  health: ProviderHealthBoard
  clock: Clock
}): ModelAvailability {
  const { providers, health, clock } = deps

  function keySource({ provider }: Model, { stored, given }: OwnKeys): KeySource {
    if (!providers.find(provider)?.keyed) return 'SERVER'
    if (provider === given) return 'REQUEST'
    return stored.has(provider) ? 'ACCOUNT' : 'SERVER'
  }

  return {
    keySource,
    reason(viewer, model, keys) {
      const { state, retiresAt, replacement } = model.lifecycle
      if (viewer.models !== null && !viewer.models.includes(model.id)) {
        return { reason: 'NOT_ALLOWED', message: `This token may not use ${model.id}.` }
      }
      if (state === 'RETIRED' || (retiresAt !== null && retiresAt <= clock.now())) {
        const hint = replacement === null ? '' : ` Use ${replacement}.`
        return { reason: 'RETIRED', message: `${model.id} has been retired by its provider.${hint}` }
      }
      const provider = providers.find(model.provider)
      if (!provider?.configured && keySource(model, keys) === 'SERVER') {
        const mend = provider?.keyed ? ' Bring one of your own: `setProviderKey`, or `providerApiKey`.' : ''
        const message = `The provider ${model.provider} has no key on this server.${mend}`
        return { reason: 'NOT_CONFIGURED', message }
      }
      const { state: healthState, message } = health.health(model.provider)
      if (healthState === 'DOWN') {
        return { reason: 'DOWN', message: message ?? `The provider ${model.provider} does not answer at present.` }
      }
      return null
    },
  }
}
