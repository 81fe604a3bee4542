import type { Generation, Image } from '../generation/generation-types.ts'
import type { Money } from '../ledger/currency.ts'

/** A generation and its images as messages tell of them: the names and forms of the GraphQL schema. No prompt. */
export function summarize(
  generation: Generation,
  images: readonly Image[],
  given: { urlOf(image: Image): string; toMoney(micros: number): Money },
): object {
  const { model, count, tags, metadata, endUser, error, problems, chargedMicros } = generation
  return {
    model,
    count,
    tags,
    metadata: metadata ?? null,
    endUser,
    createdAt: toTime(generation.createdAt),
    startedAt: toTime(generation.startedAt),
    finishedAt: toTime(generation.finishedAt),
    images: images.map((image) => describeImage(image, given.urlOf(image))),
    problems,
    error,
    cost: { charged: chargedMicros === null ? null : given.toMoney(chargedMicros) },
  }
}

function describeImage(image: Image, url: string): object {
  const { id, imageIndex: index, mimeType, width, height, sizeBytes, sha256, seed, revisedPrompt } = image
  return { id, index, url, mimeType, width, height, sizeBytes, sha256, seed, revisedPrompt }
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
