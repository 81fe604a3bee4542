import { InvalidInputError, ModelUnavailableError } from '../errors.ts'
import type { CurrencySettings } from '../ledger/currency.ts'
import { createPriceSnapshot, type PriceSnapshot } from '../ledger/price-snapshot.ts'
import { estimateImages } from '../ledger/pricing.ts'
import type { Model, ModelAlias } from '../providers/model.ts'
import type { ModelCatalog, ResolvedModel } from '../providers/model-catalog.ts'
import type { PictureSize } from '../references/reference-image.ts'
import type { Viewer } from '../viewer.ts'
import type { GenerationInput, ModelPlan, Warning } from './generation-types.ts'
import type { ModelAvailability } from './model-availability.ts'
import { planRequest } from './request-plan.ts'
import type { MicrosRange } from './services.ts'

/** One model that can take the job: what would be sent to it and what that costs. Plain JSON, kept with the generation. */
export type PricedPlan = ModelPlan & {
  readonly provider: string
  /** null: the price is not known. */
  readonly price: PriceSnapshot | null
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
}

/** `sizes` are those of the request's reference images: some models bill by them. */
export type ModelChooser = (viewer: Viewer, input: GenerationInput, sizes?: readonly PictureSize[]) => ModelChoice

/** Pure but for the health of providers. Throws InvalidInputError and ModelUnavailableError. */
export function createModelChooser(deps: {
  catalog: ModelCatalog
  availability: ModelAvailability
  currency: CurrencySettings
}): ModelChooser {
  const { catalog, availability, currency } = deps

  return (viewer, input, sizes = []) => {
    const asked = catalog.resolve({ model: input.model, provider: input.provider })
    const rest = input.fallbackModels.map((name, index) => resolveFallback(name, index))
    const usable: PricedPlan[] = []
    const passedOver: Warning[] = []
    const price = (model: Model, alias: ModelAlias['parameters']) => priceOf(model, alias, input, sizes)
    const first = tryFirst(viewer, input, asked, price, rest.length > 0, passedOver)
    if (first) usable.push(first)
    for (const fallback of rest) {
      const plan = tryFallback(viewer, fallback, price, usable[0], passedOver)
      if (plan && !usable.some((other) => other.modelId === plan.modelId)) usable.push(plan)
    }
    const [chosen, ...fallbacks] = usable
    if (chosen === undefined) throw unavailable(viewer, asked.model)
    return {
      requestedModel: input.model ?? asked.model.id,
      first: {
        ...chosen,
        warnings: [...nameSuccessor(passedOver, chosen), ...chosen.warnings, ...priceWarnings(chosen)],
      },
      fallbacks,
      estimate: joinEstimates(usable),
    }
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
    viewer: Viewer,
    input: GenerationInput,
    asked: ResolvedModel,
    price: Pricing,
    hasFallbacks: boolean,
    warnings: Warning[],
  ): PricedPlan | undefined {
    const usable = replaceRetired(viewer, asked, input, warnings)
    const reason = availability.reason(viewer, usable.model)
    if (reason === null) return price(usable.model, usable.aliasParameters)
    if (!hasFallbacks || reason.reason === 'NOT_ALLOWED') throw unavailable(viewer, usable.model)
    warnings.push(fallbackWarning(usable.model, reason.message))
    return undefined
  }

  function replaceRetired(
    viewer: Viewer,
    asked: ResolvedModel,
    input: GenerationInput,
    warnings: Warning[],
  ): ResolvedModel {
    const { replacement } = asked.model.lifecycle
    if (input.strict || replacement === null) return asked
    if (availability.reason(viewer, asked.model)?.reason !== 'RETIRED') return asked
    const model = catalog.get(replacement)
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
    viewer: Viewer,
    fallback: ResolvedModel,
    price: Pricing,
    before: PricedPlan | undefined,
    warnings: Warning[],
  ): PricedPlan | undefined {
    const reason = availability.reason(viewer, fallback.model)
    if (reason !== null) {
      warnings.push(ignoredFallback(fallback.model, reason.message))
      return undefined
    }
    try {
      const plan = price(fallback.model, fallback.aliasParameters)
      // A request with a price that is known does not turn into one without behind the caller's back.
      if (plan.price !== null || before === undefined || before.price === null) return plan
      warnings.push(ignoredFallback(fallback.model, `The price of ${fallback.model.id} for this request is not known.`))
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      warnings.push(ignoredFallback(fallback.model, error.message))
    }
    return undefined
  }

  function priceOf(
    model: Model,
    aliasParameters: ModelAlias['parameters'],
    input: GenerationInput,
    sizes: readonly PictureSize[],
  ): PricedPlan {
    const plan = planRequest(model, aliasParameters, input)
    const promptBytes = Buffer.byteLength(input.prompt) + Buffer.byteLength(plan.negativePrompt ?? '')
    const priced = { ...plan.parameters, promptBytes, previews: plan.previews }
    const used = sizes.slice(0, plan.parameters.referenceImages)
    const snapshot = createPriceSnapshot(model, priced, currency, used)
    const estimate = snapshot && estimateImages(snapshot, plan.count)
    return {
      ...plan,
      provider: model.provider,
      price: snapshot,
      estimate: estimate && { minMicros: estimate.minMicros, maxMicros: estimate.maxMicros },
    }
  }

  function unavailable(viewer: Viewer, model: Model): ModelUnavailableError {
    const reason = availability.reason(viewer, model)
    return new ModelUnavailableError({
      message: reason?.message ?? `${model.id} cannot be used.`,
      reason: reason?.reason ?? 'DOWN',
      suggestions: model.lifecycle.replacement === null ? [] : [model.lifecycle.replacement],
      replacement: model.lifecycle.replacement,
    })
  }
}

/** Throws InvalidInputError. */
type Pricing = (model: Model, aliasParameters: ModelAlias['parameters']) => PricedPlan

function priceWarnings(plan: PricedPlan): Warning[] {
  if (plan.price !== null) return []
  const message = `The price of ${plan.modelId} for this request is not known, so nothing is held or charged for it.`
  return [{ code: 'UNKNOWN_PRICE', field: null, requested: null, used: null, message }]
}

function fallbackWarning(model: Model, why: string): Warning {
  return { code: 'FALLBACK_USED', field: 'model', requested: model.id, used: null, message: why }
}

/** Which model answers in the place of the first is known only when all have been looked at. */
function nameSuccessor(warnings: readonly Warning[], chosen: PricedPlan): Warning[] {
  return warnings.map((warning) => (warning.code === 'FALLBACK_USED' ? { ...warning, used: chosen.modelId } : warning))
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
