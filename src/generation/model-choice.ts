import { InvalidInputError, ModelUnavailableError } from '../errors.ts'
import type { CurrencySettings } from '../ledger/currency.ts'
import { createPriceSnapshot, type PriceSnapshot } from '../ledger/price-snapshot.ts'
import { estimateImages } from '../ledger/pricing.ts'
import type { Model, ModelAlias } from '../providers/model.ts'
import type { ModelCatalog, ResolvedModel } from '../providers/model-catalog.ts'
import type { PictureSize } from '../references/reference-image.ts'
import type { KeySource } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import type { GenerationInput, ModelPlan, Warning } from './generation-types.ts'
import type { ModelAvailability, OwnKeys } from './model-availability.ts'
import { planRequest } from './request-plan.ts'
import type { MicrosRange } from './services.ts'

/** One model that can take the job: what would be sent to it and what that costs. Plain JSON, kept with the generation. */
export type PricedPlan = ModelPlan & {
  readonly provider: string
  readonly keySource: KeySource
  /** null: the price is not known, or it is nothing of ours because a key of the caller's own pays. */
  readonly price: PriceSnapshot | null
  /** null: the price is not known. Nothing where a key of the caller's own pays. */
  readonly estimate: MicrosRange | null
}

export type ModelChoice = {
  readonly requestedModel: string
  /** The model that is asked first. */
  readonly first: PricedPlan
  /** Asked in this order when those before them cannot take the job. */
  readonly fallbacks: readonly PricedPlan[]
  /** Over all of them: what is shown, and whose upper bound is held. null: a price is not known. */
  readonly estimate: MicrosRange | null
  /** A key of the caller's own pays for the model that is asked for, so that none of them may cost credits. */
  readonly ownKey: boolean
  /** What the first asks of the owner of that key, by its price list; null: not known, or the server pays. */
  readonly providerPrice: MicrosRange | null
}

/** What a choice depends on besides the request and its caller. */
export type ChoiceFacts = {
  /** Providers for which the account keeps a key. */
  readonly stored: ReadonlySet<string>
  /** Of the request's reference images, since some models bill by them; null: not looked at yet. */
  readonly sizes?: readonly (PictureSize | null)[]
}

export type ModelChooser = (viewer: Viewer, input: GenerationInput, facts: ChoiceFacts) => ModelChoice

const NOTHING: MicrosRange = { minMicros: 0, maxMicros: 0 }

/** One pixel is billed as a megapixel, the least that there is: good enough to see whether a price hangs on it. */
const UNKNOWN_SIZE: PictureSize = { width: 1, height: 1 }

/** What stays the same over all models of one choice. */
type Asking = {
  readonly viewer: Viewer
  readonly input: GenerationInput
  readonly keys: OwnKeys
  readonly ownKey: boolean
  readonly sizes: readonly (PictureSize | null)[]
}

/** Pure but for the health of providers. Throws InvalidInputError and ModelUnavailableError. */
export function createModelChooser(deps: {
  catalog: ModelCatalog
  availability: ModelAvailability
  currency: CurrencySettings
}): ModelChooser {
  const { catalog, availability, currency } = deps

  return (viewer, input, facts) => {
    const asked = catalog.resolve({ model: input.model, provider: input.provider })
    const asking = takeKeys(viewer, input, facts, asked.model)
    const rest = input.fallbackModels.map((name, index) => resolveFallback(name, index))
    const usable: PricedPlan[] = []
    const passedOver: Warning[] = []
    const first = tryFirst(asking, asked, rest.length > 0, passedOver)
    if (first) usable.push(first)
    for (const fallback of rest) {
      const plan = tryFallback(asking, fallback, usable[0], passedOver)
      if (plan && !usable.some((other) => other.modelId === plan.modelId)) usable.push(plan)
    }
    const [chosen, ...fallbacks] = usable
    if (chosen === undefined) throw unavailable(asking, asked.model)
    return {
      requestedModel: input.model ?? asked.model.id,
      first: {
        ...chosen,
        warnings: [...nameSuccessor(passedOver, chosen), ...chosen.warnings, ...priceWarnings(chosen)],
      },
      fallbacks,
      estimate: joinEstimates(usable),
      ownKey: asking.ownKey,
      providerPrice: chosen.keySource === 'SERVER' ? null : listPriceOf(chosen, asking),
    }
  }

  function takeKeys(viewer: Viewer, input: GenerationInput, facts: ChoiceFacts, asked: Model): Asking {
    const { stored, sizes = [] } = facts
    // A key goes to the vendor that it was given for, whichever model answers in the end.
    const keys = { stored, given: input.providerApiKey === null ? null : asked.provider }
    const ownKey = availability.keySource(asked, keys) !== 'SERVER'
    if (keys.given === null || ownKey) return { viewer, input, keys, ownKey, sizes }
    const message = `${asked.provider} takes no key. Leave it out, or name a model of the provider that it is for.`
    throw new InvalidInputError([{ path: 'providerApiKey', message, allowed: [] }])
  }

  function resolveFallback(name: string, index: number): ResolvedModel {
    try {
      return catalog.resolve({ model: name, provider: null })
    } catch (error) {
      if (!(error instanceof ModelUnavailableError)) throw error
      const path = `fallbackModels.${index}`
      throw new InvalidInputError([{ path, message: error.message, allowed: error.suggestions }])
    }
  }

  /** undefined: it cannot take the job now, and fallbacks were named for that case. */
  function tryFirst(
    asking: Asking,
    asked: ResolvedModel,
    hasFallbacks: boolean,
    warnings: Warning[],
  ): PricedPlan | undefined {
    const usable = replaceRetired(asking, asked, warnings)
    const reason = availability.reason(asking.viewer, usable.model, asking.keys)
    if (reason === null) return price(usable.model, usable.aliasParameters, asking)
    if (!hasFallbacks || reason.reason === 'NOT_ALLOWED') throw unavailable(asking, usable.model)
    warnings.push(fallbackWarning(usable.model, reason.message))
    return undefined
  }

  function replaceRetired(
    { viewer, input, keys, ownKey }: Asking,
    asked: ResolvedModel,
    warnings: Warning[],
  ): ResolvedModel {
    const { replacement } = asked.model.lifecycle
    if (input.strict || replacement === null) return asked
    if (availability.reason(viewer, asked.model, keys)?.reason !== 'RETIRED') return asked
    const model = catalog.get(replacement)
    if (availability.keySource(model, keys) !== availability.keySource(asked.model, keys) && ownKey) return asked
    warnings.push({
      code: 'MODEL_REPLACED',
      field: 'model',
      requested: asked.model.id,
      used: model.id,
      message: `${asked.model.id} is retired; ${model.id} answers in its place.`,
    })
    return { model, aliasParameters: asked.aliasParameters }
  }

  function tryFallback(
    asking: Asking,
    fallback: ResolvedModel,
    before: PricedPlan | undefined,
    warnings: Warning[],
  ): PricedPlan | undefined {
    const reason = availability.reason(asking.viewer, fallback.model, asking.keys)
    if (reason !== null) {
      warnings.push(ignoredFallback(fallback.model, reason.message))
      return undefined
    }
    try {
      const plan = price(fallback.model, fallback.aliasParameters, asking)
      const objection = objectionTo(plan, before, asking)
      if (objection === null) return plan
      warnings.push(ignoredFallback(fallback.model, objection))
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      warnings.push(ignoredFallback(fallback.model, error.message))
    }
    return undefined
  }

  function price(model: Model, aliasParameters: ModelAlias['parameters'], asking: Asking): PricedPlan {
    const keySource = availability.keySource(model, asking.keys)
    const [picture = null] = asking.sizes
    const planned = planRequest(model, aliasParameters, asking.input, picture)
    const plan = { ...planned, provider: model.provider, keySource }
    if (keySource !== 'SERVER') return { ...plan, price: null, estimate: NOTHING }
    const sizes = asking.sizes.map((size) => size ?? UNKNOWN_SIZE)
    const snapshot = snapshotOf(model, plan, asking.input, sizes, currency)
    const estimate = snapshot && estimateImages(snapshot, plan.count)
    return { ...plan, price: snapshot, estimate: estimate && rangeOf(estimate) }
  }

  /** As the vendor lists it: the operator's markup is for what the operator pays. */
  function listPriceOf(plan: PricedPlan, { input, sizes }: Asking): MicrosRange | null {
    // Where it hangs on pictures that nobody has looked at, it is not known.
    const known = sizes.every((size) => size !== null) ? sizes : []
    const snapshot = snapshotOf(catalog.get(plan.modelId), plan, input, known, { ...currency, markup: '1' })
    return snapshot && rangeOf(estimateImages(snapshot, plan.count))
  }

  function unavailable({ viewer, keys }: Asking, model: Model): ModelUnavailableError {
    const reason = availability.reason(viewer, model, keys)
    return new ModelUnavailableError({
      message: reason?.message ?? `${model.id} cannot be used.`,
      reason: reason?.reason ?? 'DOWN',
      suggestions: model.lifecycle.replacement === null ? [] : [model.lifecycle.replacement],
      replacement: model.lifecycle.replacement,
    })
  }
}

function snapshotOf(
  model: Model,
  plan: ModelPlan,
  input: GenerationInput,
  sizes: readonly PictureSize[],
  currency: Pick<CurrencySettings, 'usdRate' | 'markup'>,
): PriceSnapshot | null {
  const promptBytes = Buffer.byteLength(input.prompt) + Buffer.byteLength(plan.negativePrompt ?? '')
  const priced = { ...plan.parameters, promptBytes, previews: plan.previews }
  return createPriceSnapshot(model, priced, currency, sizes.slice(0, plan.parameters.referenceImages))
}

function rangeOf({ minMicros, maxMicros }: MicrosRange): MicrosRange {
  return { minMicros, maxMicros }
}

/** Why it is not gone on with, although it could take the job; null: it is. */
function objectionTo(plan: PricedPlan, before: PricedPlan | undefined, { ownKey }: Asking): string | null {
  // A request that a key of the caller's own pays does not turn into one for credits behind the caller's back.
  if (ownKey && plan.estimate?.maxMicros !== 0)
    return `${plan.modelId} would cost credits; your own key does not pay it.`
  // Nor one with a price that is known into one without.
  const isUnpriced = plan.estimate === null && before !== undefined && before.estimate !== null
  return isUnpriced ? `The price of ${plan.modelId} for this request is not known.` : null
}

function priceWarnings(plan: PricedPlan): Warning[] {
  if (plan.estimate !== null) return []
  const message = `The price of ${plan.modelId} for this request is not known, so nothing is held or charged for it.`
  return [{ code: 'UNKNOWN_PRICE', field: null, requested: null, used: null, message }]
}

function fallbackWarning(model: Model, why: string): Warning {
  return { code: 'FALLBACK_USED', field: 'model', requested: model.id, used: null, message: why }
}

/** Which model answers in the place of the first is known only when all have been looked at. */
function nameSuccessor(warnings: readonly Warning[], chosen: PricedPlan): Warning[] {
  return warnings.map((warning) =>
    warning.code === 'FALLBACK_USED'
      ? { ...warning, used: chosen.modelId, message: `${warning.message} ${chosen.modelId} answers in its place.` }
      : warning,
  )
}

function ignoredFallback(model: Model, why: string): Warning {
  return { code: 'IGNORED', field: 'fallbackModels', requested: model.id, used: null, message: why }
}

/** The lowest and the highest that it may come to, whichever model answers in the end. */
function joinEstimates(plans: readonly PricedPlan[]): MicrosRange | null {
  const estimates = plans.map((plan) => plan.estimate)
  const known = estimates.filter((estimate) => estimate !== null)
  if (known.length < estimates.length) return null
  return {
    minMicros: Math.min(...known.map((estimate) => estimate.minMicros)),
    maxMicros: Math.max(...known.map((estimate) => estimate.maxMicros)),
  }
}
