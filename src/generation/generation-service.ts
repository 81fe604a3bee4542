import { type FieldProblem, InvalidInputError, RequestError } from '../errors.ts'
import type { Account } from '../identity/account-types.ts'
import type { ProviderKeys } from '../identity/provider-keys.ts'
import type { RateLimits } from '../identity/rate-limits.ts'
import { estimateImages } from '../ledger/pricing.ts'
import type { ModelCatalog } from '../providers/model-catalog.ts'
import type { PictureSources } from '../references/picture-sources.ts'
import type { ReferenceImages } from '../references/reference-images.ts'
import type { Database } from '../store/database.ts'
import { findOwnGenerations } from '../store/generation-store.ts'
import type { Viewer } from '../viewer.ts'
import type { AdmissionRequest, createAdmission } from './admission.ts'
import type { Cancellation } from './cancellation.ts'
import type { Deletion } from './deletion.ts'
import type { GenerationCache } from './generation-cache.ts'
import { isTerminal } from './generation-state.ts'
import type { GenerationInput } from './generation-types.ts'
import { checkInput } from './input-limits.ts'
import type { ModelChoice, ModelChooser } from './model-choice.ts'
import { chooseAfter, chooseBefore, type SizedChooser, takePictures } from './request-pictures.ts'
import type { Estimate, GenerationService, RetryOverrides } from './services.ts'
import { readStoredRequest, type StoredInput } from './stored-request.ts'

export type GenerationServiceDeps = {
  readonly db: Database
  readonly admit: ReturnType<typeof createAdmission>
  readonly chooseModels: ModelChooser
  readonly sources: PictureSources
  readonly references: ReferenceImages
  readonly cancellation: Cancellation
  readonly deletion: Deletion
  readonly catalog: ModelCatalog
  readonly cache: GenerationCache
  readonly rateLimits: RateLimits
  readonly providerKeys: Pick<ProviderKeys, 'providersOf'>
  /** null: messages may go there. */
  readonly checkWebhookUrl: (viewer: Viewer, url: string) => FieldProblem | null
  readonly account: (viewer: Viewer) => Promise<Account>
  /** A worker may have something to do. */
  readonly nudge: () => void
  /** The generation has ended by the caller's word: whoever works on it may stop. */
  readonly stopWork: (generationId: string) => void
  /** Bytes wait to be deleted. */
  readonly sweep: () => void
}

export function createGenerationService(deps: GenerationServiceDeps): GenerationService {
  const { db, cache } = deps

  return {
    async create(viewer, input) {
      return { ...(await admit(viewer, input, null)), webhookUrl: input.webhookUrl }
    },

    async estimate(viewer, input) {
      const choice = await chooseForEstimate(viewer, input)
      const account = await deps.account(viewer)
      return toEstimate(deps.catalog, choice, account)
    },

    async cancel(viewer, id) {
      const canceled = await deps.cancellation.cancel(viewer, id)
      if (canceled.effect !== 'TOO_LATE') deps.stopWork(id)
      cache.put(canceled.generation)
      return canceled
    },

    async retry(viewer, id, overrides, idempotencyKey) {
      const [row] = await findOwnGenerations(db.read, viewer, [id])
      if (row === undefined) throw new RequestError('NOT_FOUND', 'No such generation.')
      if (!isTerminal(row.status)) {
        const message = 'It has not ended yet. Wait for its end, or cancel it first.'
        throw new InvalidInputError([{ path: 'id', message, allowed: [] }])
      }
      const { input, ownKey } = readStoredRequest(row.request)
      const parent = { id, inputs: row.inputs, ownKey }
      const created = await admit(viewer, applyOverrides(input, overrides, idempotencyKey), parent)
      return { ...created, webhookUrl: null }
    },

    async delete(viewer, id) {
      await deps.deletion.delete(viewer, id)
      deps.sweep()
    },
  }

  async function admit(viewer: Viewer, given: GenerationInput, parent: AdmissionRequest['parent']) {
    // The address of the generation that is retried was looked at, and may be another's to name.
    const { input, pictures } = readRequest(viewer, given, parent === null ? deps.checkWebhookUrl : () => null)
    await deps.rateLimits.consume(viewer)
    const created = await deps.admit(viewer, { input, pictures, parent })
    if (!created.replayed) deps.nudge()
    return created
  }

  /** Pictures are looked at only where shape or price hang on them; that is work like a request's, and counts like one. */
  async function chooseForEstimate(viewer: Viewer, given: GenerationInput): Promise<ModelChoice> {
    const { input, pictures } = readRequest(viewer, given, deps.checkWebhookUrl)
    const sources = await deps.sources.seek(viewer, pictures)
    const stored = await deps.providerKeys.providersOf(viewer.accountId)
    const choose: SizedChooser = (sizes) => deps.chooseModels(viewer, input, { stored, sizes })
    const { choice, isOpen } = chooseBefore(choose, sources)
    if (!isOpen) return choice
    await deps.rateLimits.consume(viewer)
    return chooseAfter(choose, await deps.references.measure(sources))
  }
}

function readRequest(
  viewer: Viewer,
  given: GenerationInput,
  checkWebhookUrl: GenerationServiceDeps['checkWebhookUrl'],
): Pick<AdmissionRequest, 'input' | 'pictures'> {
  const { input, pictures, problems: inPictures } = takePictures(given)
  const inWebhook = input.webhookUrl === null ? null : checkWebhookUrl(viewer, input.webhookUrl)
  const problems = [
    ...checkInput(input),
    ...inPictures,
    ...checkOwnEndUser(viewer, input),
    ...(inWebhook ? [inWebhook] : []),
  ]
  if (problems.length > 0) throw new InvalidInputError(problems)
  return { input, pictures }
}

/** A token speaks for one end user; another name in the request is a mistake that must not pass in silence. */
function checkOwnEndUser({ endUser }: Viewer, input: GenerationInput): FieldProblem[] {
  if (endUser === null || input.endUser === null || input.endUser === endUser) return []
  const message = 'This token acts for another end user. Leave it out, or name the one that the token was made for.'
  return [{ path: 'endUser', message, allowed: [endUser] }]
}

/**
 * The seed of the first run is not repeated unless it was asked for; `provider` belongs to the model it narrowed. A key
 * that came with the request is not kept, so none comes with this one.
 */
function applyOverrides(input: StoredInput, overrides: RetryOverrides, idempotencyKey: string | null): GenerationInput {
  const { model, providerOptions } = overrides
  return {
    ...input,
    prompt: overrides.prompt ?? input.prompt,
    model: model ?? input.model,
    provider: model === null ? input.provider : null,
    seed: overrides.seed ?? input.seed,
    count: overrides.count ?? input.count,
    strict: overrides.strict ?? input.strict,
    providerOptions: providerOptions ?? input.providerOptions,
    idempotencyKey,
    providerApiKey: null,
  }
}

function toEstimate(catalog: ModelCatalog, choice: ReturnType<ModelChooser>, account: Account): Estimate {
  const { first, estimate, providerPrice } = choice
  const balanceMicros = account.balanceMicros - account.heldMicros
  const priced = first.price && estimateImages(first.price, first.count)
  const one = first.price && estimateImages(first.price, 1)
  const isAffordable = (maxMicros: number) => account.billing === 'METERED' || balanceMicros >= maxMicros
  return {
    model: catalog.get(first.modelId),
    total: estimate,
    perImage: one ? { minMicros: one.minMicros, maxMicros: one.maxMicros } : first.estimate,
    lines: priced?.lines ?? [],
    parameters: first.parameters,
    warnings: first.warnings,
    ownKey: first.keySource !== 'SERVER',
    providerPrice,
    balanceMicros,
    affordable: estimate === null ? null : isAffordable(estimate.maxMicros),
    priceAsOf: first.price?.asOf ?? null,
    priceSource: first.price?.source ?? null,
  }
}
