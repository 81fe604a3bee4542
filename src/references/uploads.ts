import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import { uploadBlobKey, uploadOwner } from '../storage/blob-keys.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import { type InputImage, MAX_FOREIGN_BYTES, tooManyBytes } from '../storage/input-image.ts'
import type { Database } from '../store/database.ts'
import { doomBlobs } from '../store/doomed-store.ts'
import type { UploadRow } from '../store/tables.ts'
import {
  deleteUpload,
  findOwnUploads,
  insertUpload,
  listExpiredUploads,
  sumUploadBytes,
} from '../store/upload-store.ts'
import type { Viewer } from '../viewer.ts'
import type { EarlyBytes } from './early-bytes.ts'
import { invalidPicture, type PictureReader } from './picture-reader.ts'

export type Upload = UploadRow

/** A part of a multipart request, as browsers and servers alike know it. */
export type UploadedFile = { readonly size: number; arrayBuffer(): Promise<ArrayBuffer> }

export type Uploads = {
  /** InvalidInputError at `file`, RateLimitedError. */
  create(viewer: Viewer, file: UploadedFile): Promise<Upload>
  /** The viewer's own, before its time is over. */
  find(viewer: Viewer, id: string): Promise<Upload | undefined>
  /** Takes away the rows of those whose time is over, and dooms their bytes. */
  expire(): Promise<void>
}

/** A generation copies what it uses, so an upload need only live until it is used. */
export const UPLOAD_LIFE_MS = 24 * 3_600_000
/** What may lie there at a time: of an account, and of each of its end users. */
export const MAX_ACCOUNT_BYTES = 2 * 1024 * 1024 * 1024
export const MAX_END_USER_BYTES = 256 * 1024 * 1024

const EXPIRED_AT_ONCE = 100

export function createUploads(deps: {
  readonly db: Database
  readonly storage: BlobStorage
  readonly readPicture: PictureReader
  readonly earlyBytes: EarlyBytes
  /** Counts one request; RateLimitedError. */
  readonly countRequest: (viewer: Viewer) => Promise<void>
  readonly clock: Clock
  readonly ids: Ids
}): Uploads {
  const { db, storage, earlyBytes, clock, ids } = deps

  return {
    async create(viewer, file) {
      await deps.countRequest(viewer)
      if (file.size > MAX_FOREIGN_BYTES) throw invalidPicture('file', tooManyBytes().message)
      // Before the dear part; a few that come at the same moment may together go a little above it.
      await assertRoom(viewer, file.size)
      const image = await deps.readPicture(new Uint8Array(await file.arrayBuffer()), 'file')
      const row = newUpload(viewer, image)
      await earlyBytes.doom(uploadOwner(row.id))
      try {
        await storage.put(row.blobKey, image.bytes)
        await db.transact(async (trx) => {
          await insertUpload(trx, row)
          await earlyBytes.pardon(trx, uploadOwner(row.id))
        })
      } catch (error) {
        await earlyBytes.drop(uploadOwner(row.id))
        throw error
      }
      return row
    },

    async find(viewer, id) {
      const [found] = await findOwnUploads(db.read, viewer, { ids: [id], now: clock.now() })
      return found
    },

    async expire() {
      for (;;) {
        const expired = await listExpiredUploads(db.read, clock.now(), EXPIRED_AT_ONCE)
        for (const { id } of expired) {
          await db.transact(async (trx) => {
            if (await deleteUpload(trx, id)) await doomBlobs(trx, uploadOwner(id), clock.now())
          })
        }
        if (expired.length < EXPIRED_AT_ONCE) return
      }
    },
  }

  async function assertRoom({ accountId, endUser }: Viewer, sizeBytes: number): Promise<void> {
    const limits = [
      { whose: 'The account', owner: { accountId, endUser: null }, maxBytes: MAX_ACCOUNT_BYTES },
      ...(endUser === null
        ? []
        : [{ whose: 'This user', owner: { accountId, endUser }, maxBytes: MAX_END_USER_BYTES }]),
    ]
    for (const { whose, owner, maxBytes } of limits) {
      if ((await sumUploadBytes(db.read, owner)) + sizeBytes <= maxBytes) continue
      const kept = `${maxBytes / (1024 * 1024)} MiB`
      throw invalidPicture(
        'file',
        `${whose} keeps ${kept} of uploads already. They go by themselves, 24 hours after they came.`,
      )
    }
  }

  function newUpload({ accountId, endUser }: Viewer, image: InputImage): UploadRow {
    const { sha256, extension, mimeType, width, height, sizeBytes } = image
    const id = ids.next('upl')
    const blobKey = uploadBlobKey({ id, sha256, extension })
    const createdAt = clock.now()
    const expiresAt = createdAt + UPLOAD_LIFE_MS
    return { id, accountId, endUser, blobKey, mimeType, width, height, sizeBytes, sha256, createdAt, expiresAt }
  }
}
