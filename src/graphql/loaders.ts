import { RequestError } from '../errors.ts'
import type { Attempt, Generation, Image } from '../generation/generation-types.ts'
import type { Context } from './context.ts'

/**
 * What fields load in one call for all their parents. They batch within a tick and cache nothing: the context of a
 * subscription lives as long as its socket, and its next event must not see the state of the last one.
 */

/** In the order of the ids. An id that the viewer may not see is an error in its place, the same as an unknown one. */
export async function loadGenerations(ids: string[], { services, viewer }: Context): Promise<(Generation | Error)[]> {
  const found = new Map((await services.reader.findMany(viewer, unique(ids))).map((each) => [each.id, each]))
  return ids.map((id) => found.get(id) ?? new RequestError('NOT_FOUND', 'No such generation.'))
}

/** In the order of the ids; null for what was deleted meanwhile. */
export async function loadImages(ids: string[], { services, viewer }: Context): Promise<(Image | null)[]> {
  const found = new Map((await services.reader.findImages(viewer, unique(ids))).map((each) => [each.id, each]))
  return ids.map((id) => found.get(id) ?? null)
}

/** The generations come from the reader, which has checked whose they are. */
export async function loadImagesOf(generationIds: string[], { services }: Context): Promise<readonly Image[]> {
  const images = await services.reader.imagesOf(unique(generationIds))
  return images.toSorted((a, b) => a.imageIndex - b.imageIndex)
}

export async function loadAttemptsOf(generationIds: string[], { services }: Context): Promise<readonly Attempt[]> {
  const attempts = await services.reader.attemptsOf(unique(generationIds))
  return attempts.toSorted((a, b) => a.number - b.number)
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)]
}
