import type { Generation, Image } from '../../generation/generation-types.ts'
import { ORIGINAL, type Services } from '../../services.ts'
import type { Viewer } from '../../viewer.ts'
import { describeProblem, describeWarning } from './problem-view.ts'

export type ViewDeps = Pick<Services, 'reader' | 'images' | 'currency' | 'retention'>

export function pathOf(generationId: string): string {
  return `/v1/images/generations/${generationId}`
}

/** One generation as this door tells of it: the official fields of an answer, and all else that is known. */
export function describeGeneration(
  { reader, currency, retention }: ViewDeps,
  generation: Generation,
  data: readonly ImageView[],
) {
  const { status, error, problems, warnings } = generation
  return {
    id: generation.id,
    object: 'image.generation',
    created: toSeconds(generation.createdAt),
    status: status.toLowerCase(),
    progress: status === 'COMPLETED' ? 1 : status === 'RUNNING' ? reader.progressOf(generation.id) : null,
    provider: generation.provider,
    model: generation.model,
    data,
    ...describeForm(generation, data[0]),
    usage: describeUsage(currency, generation),
    warnings: warnings.map(describeWarning),
    problems: problems.map(describeProblem),
    error: error === null ? null : describeProblem(error),
    ...describeRequest(generation),
    created_at: toTime(generation.createdAt),
    started_at: toTime(generation.startedAt),
    finished_at: toTime(generation.finishedAt),
    expires_at: toTime(retention.expiresAt(generation)),
  }
}

export type ImageView = ReturnType<typeof describeImage>

/** `base64`: null where the caller did not ask for the bytes. */
export function describeImage(images: Services['images'], image: Image, base64: string | null) {
  return {
    url: images.url(image, ORIGINAL, null),
    b64_json: base64,
    revised_prompt: image.revisedPrompt,
    id: image.id,
    index: image.imageIndex,
    mime_type: image.mimeType,
    width: image.width,
    height: image.height,
    size_bytes: image.sizeBytes,
    sha256: image.sha256,
    seed: image.seed,
  }
}

/** The official words for how a picture looks, as it was made where it was, else as it was asked for. */
export function describeForm(
  { parameters }: Generation,
  made: { readonly width: number; readonly height: number; readonly mime_type: string } | undefined,
) {
  const { width, height, quality, background, outputFormat } = parameters
  const asked = width === null || height === null ? null : `${width}x${height}`
  return {
    size: made ? `${made.width}x${made.height}` : asked,
    quality,
    background: background?.toLowerCase() ?? null,
    output_format: made ? made.mime_type.replace('image/', '') : (outputFormat?.toLowerCase() ?? null),
  }
}

export function describeUsage(currency: Services['currency'], generation: Generation) {
  const { tokens, chargedMicros, startedAt, finishedAt, keySource } = generation
  const charged = chargedMicros === null ? null : currency.toMoney(chargedMicros)
  return {
    input_tokens: tokens?.input ?? null,
    output_tokens: tokens?.output ?? null,
    total_tokens: tokens?.total ?? null,
    cost: charged?.amount ?? null,
    credits: charged?.credits ?? null,
    currency: currency.settings.code,
    held: currency.toMoney(generation.heldMicros).amount,
    own_key: keySource !== 'SERVER',
    latency_ms: startedAt === null || finishedAt === null ? null : Math.max(0, finishedAt - startedAt),
  }
}

function describeRequest(generation: Generation) {
  return {
    prompt: generation.prompt,
    negative_prompt: generation.negativePrompt,
    requested_model: generation.requestedModel,
    n: generation.count,
    user: generation.endUser,
    tags: generation.tags,
    metadata: generation.metadata ?? null,
  }
}

/** With its images as they are now; `bytes`: and what is in them. */
export async function viewGeneration(deps: ViewDeps, generation: Generation, bytes: boolean) {
  const images = (await deps.reader.imagesOf([generation.id])).toSorted((a, b) => a.imageIndex - b.imageIndex)
  const data: ImageView[] = []
  for (const image of images) {
    data.push(describeImage(deps.images, image, bytes ? await deps.images.base64(image) : null))
  }
  return describeGeneration(deps, generation, data)
}

/** What can still be spent, in credits; null for an account that is counted and never refused. */
export async function remainingCredits(
  { accounts, currency }: Pick<Services, 'accounts' | 'currency'>,
  viewer: Viewer,
): Promise<string | null> {
  const { billing, balanceMicros, heldMicros } = await accounts.account(viewer)
  return billing === 'METERED' ? null : currency.toMoney(balanceMicros - heldMicros).credits
}

export function toTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

export function toSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}
