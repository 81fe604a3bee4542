import {
  type Lifecycle,
  type Model,
  type ModelAlias,
  type ModelCapabilities,
  NO_CAPABILITIES,
  type PriceRule,
  type PriceUnit,
  type TokenEstimate,
} from '../model.ts'

/** A model as a catalogue writes it down: what is left out is not declared, and a request for it is refused. */
export type ModelSpec = {
  /** `provider/name`. */
  readonly id: string
  /** Missing: the name in the id. */
  readonly providerModel?: string
  readonly name?: string
  readonly description?: string
  readonly aliases?: readonly (string | ModelAlias)[]
  readonly lifecycle?: Partial<Lifecycle>
  readonly capabilities: Partial<ModelCapabilities>
  /** Missing: all of `capabilities.outputFormats`. */
  readonly nativeFormats?: Model['nativeFormats']
  readonly wire?: Model['wire']
  readonly prices?: readonly PriceRule[]
  readonly tokenEstimates?: readonly TokenEstimate[]
}

export function defineModel(spec: ModelSpec): Model {
  const provider = spec.id.slice(0, spec.id.indexOf('/'))
  const ownName = spec.id.slice(provider.length + 1)
  const capabilities = { ...LEAST_CAPABILITIES, ...spec.capabilities }
  return {
    id: spec.id,
    provider,
    providerModel: spec.providerModel ?? ownName,
    name: spec.name ?? ownName,
    description: spec.description ?? null,
    aliases: (spec.aliases ?? []).map((alias) => (typeof alias === 'string' ? { name: alias, parameters: {} } : alias)),
    lifecycle: { state: 'ACTIVE', retiresAt: null, replacement: null, note: null, ...spec.lifecycle },
    capabilities,
    nativeFormats: spec.nativeFormats ?? capabilities.outputFormats,
    wire: spec.wire ?? {},
    prices: spec.prices ?? [],
    tokenEstimates: spec.tokenEstimates ?? [],
  }
}

/** Prices that were read on one day in one place. `checkedOn` is a date such as `2026-11-16`. */
export function pricesOf(checkedOn: string, source: string) {
  const asOf = Date.parse(checkedOn)
  return (unit: PriceUnit, usd: string, condition: { size?: string; quality?: string } = {}): PriceRule => ({
    unit,
    size: condition.size ?? null,
    quality: condition.quality ?? null,
    usd,
    asOf,
    source,
  })
}

/** A model that can do nothing but paint one image as its provider likes. */
const LEAST_CAPABILITIES: ModelCapabilities = { ...NO_CAPABILITIES, maxCount: 1, outputFormats: ['PNG'] }
