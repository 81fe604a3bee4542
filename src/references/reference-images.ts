import { type Clock, openTimeLimit } from '../clock.ts'
import { type FieldProblem, InvalidInputError } from '../errors.ts'
import { inputBlobKey } from '../storage/blob-keys.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import type { InputImage } from '../storage/input-image.ts'
import { type EarlyBytes, tookTooLong } from './early-bytes.ts'
import { checkTogether, type LoadedPicture, toLoaded } from './picture-checks.ts'
import type { PictureSource } from './picture-sources.ts'
import { MAX_TOGETHER_BYTES, type StoredInput } from './reference-image.ts'

/** The pictures of a request become the inputs of a generation. */
export type ReferenceImages = {
  /** Loads and checks, keeps nothing. InvalidInputError with every picture that will not do. */
  measure(sources: readonly PictureSource[]): Promise<readonly LoadedPicture[]>
  /**
   * Loads, checks and writes the bytes, doomed in advance, for the generation's transaction to pardon. Leaves nothing
   * where it throws.
   */
  keep(generationId: string, sources: readonly PictureSource[]): Promise<readonly StoredInput[]>
}

/** For all of a request's pictures: an operation has half a minute. */
const TOGETHER_MS = 25_000
const LOADS_AT_ONCE = 3

export function createReferenceImages(deps: {
  readonly storage: BlobStorage
  readonly earlyBytes: EarlyBytes
  readonly clock: Clock
}): ReferenceImages {
  const { storage, earlyBytes, clock } = deps

  async function store(generationId: string, { role }: LoadedPicture, image: InputImage): Promise<StoredInput> {
    const { sha256, extension, mimeType, width, height, sizeBytes } = image
    const blobKey = inputBlobKey({ generationId, sha256, extension })
    await storage.put(blobKey, image.bytes)
    return { role, blobKey, mimeType, width, height, sizeBytes }
  }

  return {
    measure: (sources) => loadAll(clock, sources, async (picture) => picture),

    async keep(generationId, sources) {
      await earlyBytes.doom(generationId)
      try {
        return await loadAll(clock, sources, (picture, image) => store(generationId, picture, image))
      } catch (error) {
        await earlyBytes.drop(generationId)
        throw error
      }
    },
  }
}

/**
 * A few at a time, each let go of before the next: the pictures of a request together may be larger than what one may
 * hold in memory. All that is wrong with them is told at once. When it settles, nothing is loading or being used any more.
 */
async function loadAll<Result>(
  clock: Clock,
  sources: readonly PictureSource[],
  use: (picture: LoadedPicture, image: InputImage) => Promise<Result>,
): Promise<readonly Result[]> {
  const limit = openTimeLimit(clock, TOGETHER_MS)
  const results: Result[] = []
  const loaded: LoadedPicture[] = []
  const problems: FieldProblem[] = []
  const waiting = [...sources.entries()]
  let totalBytes = 0

  async function load(place: number, source: PictureSource): Promise<void> {
    const image = await source.load(limit.signal)
    const picture = toLoaded(source, image)
    loaded[place] = picture
    totalBytes += image.sizeBytes
    // More is refused below, and need not be written; what is late must not be, or it might outlive its doom.
    if (totalBytes <= MAX_TOGETHER_BYTES && !limit.isOver()) results[place] = await use(picture, image)
  }
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined && !limit.isOver(); next = waiting.shift()) {
      try {
        await load(...next)
      } catch (error) {
        if (error instanceof InvalidInputError) problems.push(...error.fields)
        else {
          waiting.length = 0
          throw error
        }
      }
    }
  }

  const ended = await Promise.allSettled(Array.from({ length: LOADS_AT_ONCE }, work))
  limit.close()
  for (const each of ended) if (each.status === 'rejected') throw each.reason
  // Whoever asked has been told by now that it took too long: what is begun for nobody would be asked for, and paid, twice.
  if (problems.length === 0 && limit.isOver()) throw tookTooLong()
  if (problems.length === 0) problems.push(...checkTogether(loaded))
  if (problems.length > 0) throw new InvalidInputError(problems)
  return results
}
