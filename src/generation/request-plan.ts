import { InvalidInputError } from '../errors.ts'
import type { GenerationParameters, Model, ModelAlias } from '../providers/model.ts'
import type { GenerationInput, ModelPlan } from './generation-types.ts'
import type { Size } from './image-size.ts'
import { checkInput, countCodePoints } from './input-limits.ts'
import { createPlanFindings, joinChoices, type PlanFindings, quote } from './plan-findings.ts'
import { planProviderOptions } from './provider-options.ts'
import { planReferenceImages } from './reference-plan.ts'
import { followsPictures, planSize } from './size-plan.ts'

/**
 * What would be sent to a model for a request: its own values, the alias's, then the model's defaults. Strict requests
 * are refused for everything that the model does not declare; others are adjusted to the nearest that it does, with one
 * warning for each change. Malformed and contradictory values, and prompts that are too long, are refused either way.
 *
 * `picture` is the size of the first reference image, where it is known.
 *
 * Throws InvalidInputError with every offending field, those of `checkInput` among them.
 */
export function planRequest(
  model: Model,
  alias: ModelAlias['parameters'],
  input: GenerationInput,
  picture: Size | null = null,
): ModelPlan {
  const findings = createPlanFindings(input.strict)
  for (const problem of checkInput(input)) findings.refuse(problem)
  const { capabilities } = model
  if (capabilities.maxPromptLength !== null) checkPromptLength(model, capabilities.maxPromptLength, input, findings)
  warnOfLifecycle(model, findings)
  const { referenceImages, usesMask } = planReferenceImages(model, input, findings)
  const plan: ModelPlan = {
    modelId: model.id,
    parameters: { ...planParameters(model, alias, input, findings, picture), referenceImages },
    followsPictures: referenceImages > 0 && followsPictures(model, alias, input),
    count: planCount(model, input, findings),
    negativePrompt: keepIf(capabilities.negativePrompt, model, 'negativePrompt', input.negativePrompt, findings),
    usesMask,
    previews: planPreviews(model, input, findings),
    warnings: findings.warnings,
  }
  if (findings.problems.length > 0) throw new InvalidInputError(findings.problems)
  return plan
}

function planParameters(
  model: Model,
  alias: ModelAlias['parameters'],
  input: GenerationInput,
  findings: PlanFindings,
  picture: Size | null,
): GenerationParameters {
  const { capabilities } = model
  return {
    ...planSize(model, alias, input, findings, picture),
    quality: planQuality(model, alias, input, findings),
    style: choose(model, 'style', input.style, capabilities.styles, null, findings),
    ...planFile(model, input, findings),
    seed: planSeed(model, input, findings),
    guidanceScale: planGuidance(model, input, findings),
    enhancePrompt: keepIf(capabilities.enhancePrompt, model, 'enhancePrompt', input.enhancePrompt, findings),
    watermark: keepIf(capabilities.watermark, model, 'watermark', input.watermark, findings),
    referenceImages: 0,
    // Options that broke a limit are not looked at again: they may be of any depth.
    providerOptions: planProviderOptions(
      model,
      hasProblem(findings, 'providerOptions') ? null : input.providerOptions,
      findings,
    ),
  }
}

function hasProblem(findings: PlanFindings, path: string): boolean {
  return findings.problems.some((problem) => problem.path === path)
}

/** One of the declared values, else the fallback. */
function choose<T extends string>(
  model: Model,
  field: string,
  requested: T | null,
  allowed: readonly T[],
  fallback: T | null,
  findings: PlanFindings,
): T | null {
  if (requested === null) return fallback
  if (allowed.includes(requested)) return requested
  if (allowed.length === 0) {
    const fact = `${model.id} has no setting \`${field}\`.`
    findings.fit({ field, requested, used: null, fact, mend: 'Leave it out.' })
    return null
  }
  const fact = `${model.id} takes ${joinChoices(allowed)}; ${quote(requested)} is not among them.`
  findings.fit({ field, requested: quote(requested), used: fallback, fact, allowed })
  return fallback
}

/** A setting that a model has or has not. Its value is not repeated: it may be as private as a prompt. */
function keepIf<T>(supported: boolean, model: Model, field: string, value: T | null, findings: PlanFindings): T | null {
  if (value === null || supported) return value
  const requested = typeof value === 'string' ? null : String(value)
  const fact = `${model.id} has no setting \`${field}\`.`
  findings.fit({ field, requested, used: null, fact, mend: 'Leave it out.' })
  return null
}

function planSeed(model: Model, input: GenerationInput, findings: PlanFindings): number | null {
  const { seed, maxSeed } = model.capabilities
  const value = keepIf(seed, model, 'seed', input.seed, findings)
  if (value === null || maxSeed === null || value <= maxSeed) return value
  const fact = `${model.id} takes seeds up to ${maxSeed}; ${value} is above that.`
  // Any other seed would be another picture: none is the honest one.
  findings.fit({ field: 'seed', requested: String(value), used: null, fact, mend: 'Take a smaller one.' })
  return null
}

function planGuidance(model: Model, input: GenerationInput, findings: PlanFindings): number | null {
  const { guidanceScale, guidanceScaleRange: range } = model.capabilities
  const value = keepIf(guidanceScale, model, 'guidanceScale', input.guidanceScale, findings)
  if (value === null || range === null || (value >= range.min && value <= range.max)) return value
  const used = Math.min(Math.max(value, range.min), range.max)
  const fact = `${model.id} takes a guidance from ${range.min} to ${range.max}; ${value} is not.`
  findings.fit({ field: 'guidanceScale', requested: String(value), used: String(used), fact })
  return used
}

function planQuality(
  model: Model,
  alias: ModelAlias['parameters'],
  input: GenerationInput,
  findings: PlanFindings,
): string | null {
  const implied = alias.quality ?? null
  if (input.quality !== null && implied !== null && input.quality !== implied) {
    const message = `The model name that was asked for stands for ${implied}. Leave this out, or use the model's id.`
    findings.refuse({ path: 'quality', message, allowed: [implied] })
  }
  const { qualities, defaultQuality } = model.capabilities
  return choose(model, 'quality', input.quality ?? implied, qualities, defaultQuality, findings)
}

type FileParameters = Pick<GenerationParameters, 'background' | 'outputFormat' | 'outputCompression'>

function planFile(model: Model, input: GenerationInput, findings: PlanFindings): FileParameters {
  const { outputFormats, backgrounds } = model.capabilities
  let background = choose(model, 'background', input.background, backgrounds, null, findings)
  // Without a format of the caller's, a transparent picture takes the first that can hold it, and any other stays as the
  // provider makes it.
  const holding = model.nativeFormats.find((format) => background !== 'TRANSPARENT' || format !== 'JPEG')
  const fallback = holding ?? model.nativeFormats[0] ?? null
  const outputFormat = choose(model, 'outputFormat', input.outputFormat, outputFormats, fallback, findings)
  if (background === 'TRANSPARENT' && outputFormat === 'JPEG') {
    const allowed = backgrounds.filter((each) => each !== 'TRANSPARENT')
    const mend = 'Ask for `outputFormat` PNG or WEBP.'
    const fact = 'A JPEG file cannot be transparent.'
    findings.fit({ field: 'background', requested: background, used: null, fact, mend, allowed })
    background = null
  }
  return { background, outputFormat, outputCompression: planCompression(model, outputFormat, input, findings) }
}

function planCompression(
  model: Model,
  outputFormat: GenerationParameters['outputFormat'],
  input: GenerationInput,
  findings: PlanFindings,
): number | null {
  const field = 'outputCompression'
  const value = keepIf(model.capabilities.outputCompression, model, field, input.outputCompression, findings)
  if (value === null || outputFormat !== 'PNG') return value
  const fact = 'Only JPEG and WEBP are compressed by degrees; this request makes PNG.'
  const mend = 'Ask for `outputFormat` JPEG or WEBP, or leave it out.'
  findings.fit({ field, requested: String(value), used: null, fact, mend })
  return null
}

function planCount(model: Model, input: GenerationInput, findings: PlanFindings): number {
  const { maxCount } = model.capabilities
  if (!(input.count > maxCount)) return input.count
  const fact = `${model.id} makes at most ${maxCount} in one request; ${input.count} are too many.`
  findings.fit({ field: 'count', requested: String(input.count), used: String(maxCount), fact })
  return maxCount
}

function planPreviews(model: Model, input: GenerationInput, findings: PlanFindings): number {
  const { maxPreviews } = model.capabilities
  if (!(input.previews > maxPreviews)) return input.previews
  const fact =
    maxPreviews === 0
      ? `${model.id} shows no previews.`
      : `${model.id} shows at most ${maxPreviews} previews; ${input.previews} are too many.`
  const used = maxPreviews === 0 ? null : String(maxPreviews)
  findings.fit({ field: 'previews', requested: String(input.previews), used, fact })
  return maxPreviews
}

function checkPromptLength(model: Model, maxLength: number, input: GenerationInput, findings: PlanFindings): void {
  // Never cut: a shortened prompt is another prompt. Text of fewer UTF-16 units has fewer code points.
  if (input.prompt.length <= maxLength) return
  const length = countCodePoints(input.prompt)
  if (length <= maxLength) return
  const message = `${model.id} reads prompts of up to ${maxLength} characters; this one has ${length}. Shorten it.`
  findings.refuse({ path: 'prompt', message, allowed: [] })
}

function warnOfLifecycle(model: Model, findings: PlanFindings): void {
  const { state, retiresAt, replacement, note } = model.lifecycle
  if (state !== 'DEPRECATED') return
  const end = retiresAt === null ? '' : ` and retires on ${new Date(retiresAt).toISOString().slice(0, 10)}`
  const mend = replacement === null ? '' : ` Use ${replacement} instead.`
  const message = `${model.id} is deprecated${end}.${mend}${note === null ? '' : ` ${note}`}`
  findings.warn({ code: 'DEPRECATED_MODEL', field: 'model', requested: model.id, used: model.id, message })
}
