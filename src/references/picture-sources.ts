import type { Clock } from '../clock.ts'
import { type FieldProblem, InvalidInputError } from '../errors.ts'
import { OutboundError } from '../outbound/outbound-error.ts'
import type { OutboundFetch } from '../outbound/outbound-fetch.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import { createBoundedLimiter } from '../storage/bounded-limiter.ts'
import { describeStoredImage, type InputImage, MAX_FOREIGN_BYTES } from '../storage/input-image.ts'
import type { Database } from '../store/database.ts'
import type { Ownership } from '../store/generation-store.ts'
import { findImagesOfAccount } from '../store/image-store.ts'
import { findOwnUploads } from '../store/upload-store.ts'
import type { GivenPicture } from './given-picture.ts'
import { invalidPicture, type PictureReader } from './picture-reader.ts'
import type { InputRole, PictureSize, StoredInput } from './reference-image.ts'

/** Where a picture of a request comes from. Nothing has been read, fetched or decoded yet. */
export type PictureSource = {
  readonly role: InputRole
  /** The field that a client would mark. */
  readonly path: string
  /** null: nobody knows before it is loaded. */
  readonly size: PictureSize | null
  /** InvalidInputError at `path`. The signal ends what is fetched from outside. */
  load(signal: AbortSignal): Promise<InputImage>
}

export type PictureSources = {
  /** By id, only what is the owner's. InvalidInputError with every picture that there is not. */
  seek(owner: Ownership, pictures: readonly GivenPicture[]): Promise<readonly PictureSource[]>
  /** Those of an earlier generation, for one more with the same. */
  ofGeneration(inputs: readonly StoredInput[]): readonly PictureSource[]
}

/** What is stored here, and how large it is. */
type Stored = PictureSize & { readonly blobKey: string }

const FETCH_MS = 15_000
const FETCHES_AT_ONCE = 16
const FETCHES_WAITING = 64

export function createPictureSources(deps: {
  readonly db: Database
  readonly storage: BlobStorage
  readonly fetchOutbound: OutboundFetch
  readonly readPicture: PictureReader
  readonly clock: Clock
}): PictureSources {
  const { db, storage, fetchOutbound, readPicture, clock } = deps
  const fetches = createBoundedLimiter({
    maxConcurrent: FETCHES_AT_ONCE,
    maxQueued: FETCHES_WAITING,
    refusal: 'Too many pictures are being fetched right now. Try again in a moment.',
  })

  return {
    async seek(owner, pictures) {
      if (pictures.length === 0) return []
      const stored = await findStored(owner, pictures)
      const problems: FieldProblem[] = []
      const sources = pictures.map((picture) => {
        const source = toSource(picture, stored)
        if (source === undefined) problems.push({ path: picture.path, message: unknownOf(picture), allowed: [] })
        return source
      })
      if (problems.length > 0) throw new InvalidInputError(problems)
      return sources.filter((source) => source !== undefined)
    },

    ofGeneration: (inputs) =>
      inputs.map((input) => {
        const lost = 'The reference images of this generation are no longer there. Send the request anew.'
        return fromStorage({ role: input.role, path: 'id' }, input, lost)
      }),
  }

  /** By id, images and uploads alike: their prefixes keep them apart. */
  async function findStored(owner: Ownership, pictures: readonly GivenPicture[]): Promise<ReadonlyMap<string, Stored>> {
    const { accountId, endUser } = owner
    const imageIds = pictures.flatMap(({ input }) => ('imageId' in input ? [input.imageId] : []))
    const uploadIds = pictures.flatMap(({ input }) => ('uploadId' in input ? [input.uploadId] : []))
    const rows = await Promise.all([
      findImagesOfAccount(db.read, { ids: imageIds, accountId, endUser }),
      findOwnUploads(db.read, owner, { ids: uploadIds, now: clock.now() }),
    ])
    return new Map(rows.flat().map((row) => [row.id, row]))
  }

  function toSource(picture: GivenPicture, stored: ReadonlyMap<string, Stored>): PictureSource | undefined {
    const { input, bytes, path, role } = picture
    if (bytes !== null) return { role, path, size: null, load: () => readPicture(bytes, path) }
    if ('url' in input) return { role, path, size: null, load: (signal) => fetchPicture(input.url, path, signal) }
    const id = 'imageId' in input ? input.imageId : 'uploadId' in input ? input.uploadId : ''
    const found = stored.get(id)
    return found && fromStorage({ role, path }, found, unknownOf(picture))
  }

  /** As it lies there: what is stored has been through our decoder, or came from a provider. */
  function fromStorage(
    place: Pick<PictureSource, 'role' | 'path'>,
    { blobKey, width, height }: Stored,
    ifLost: string,
  ): PictureSource {
    const load = async () => {
      const bytes = await storage.get(blobKey)
      const image = bytes && (await describeStoredImage(bytes))
      // Deleted since it was looked up.
      if (image === undefined) throw invalidPicture(place.path, ifLost)
      return image
    }
    return { ...place, size: { width, height }, load }
  }

  function fetchPicture(url: string, path: string, signal: AbortSignal): Promise<InputImage> {
    return fetches.run(async () => {
      const accept = 'image/png, image/jpeg, image/webp'
      const limits = { maxBytes: MAX_FOREIGN_BYTES, timeoutMs: FETCH_MS, accept, signal }
      const { bytes } = await fetchOutbound(url, limits).catch((error: unknown) => {
        throw error instanceof OutboundError ? invalidPicture(path, explain(error)) : error
      })
      return readPicture(bytes, path)
    })
  }
}

function unknownOf({ input }: GivenPicture): string {
  return 'uploadId' in input
    ? 'There is no such upload of yours, or its time is over. Upload the picture again.'
    : 'There is no such image of yours.'
}

/** The fault's own message names neither address nor answer. */
function explain({ fault, message }: OutboundError): string {
  if (fault === 'FORBIDDEN') {
    return `${message} Upload the picture with \`uploadImage\`; an image of this server is named by its \`imageId\`.`
  }
  if (fault === 'ABORTED') return 'It took too long. Upload the picture with `uploadImage`.'
  return `It could not be fetched. ${message}`
}
