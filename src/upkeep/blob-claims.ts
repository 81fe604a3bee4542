import { readInputs } from '../references/reference-image.ts'
import { type OwnBlobKey, parseBlobKey } from '../storage/blob-keys.ts'
import {
  type BlobOwnerRow,
  type BlobRow,
  findBlobOwners,
  findBlobs,
  findDoomed,
  listBlobsOfGenerations,
} from '../store/blob-store.ts'
import type { Database, Db } from '../store/database.ts'

/**
 * How the rows stand to bytes that lie in storage. NEEDED: a row says that they are there. PENDING: their row may be about
 * to be written, or they are about to be deleted. LEFT_OVER: their owner is there and does without them, as after a
 * crash between bytes and row. OWNERLESS: no row has ever heard of them, or it has been deleted. FOREIGN: we have not
 * written them.
 */
export type BlobClaim = 'NEEDED' | 'PENDING' | 'LEFT_OVER' | 'OWNERLESS' | 'FOREIGN'

/**
 * Of each key, by a handful of look-ups for all of them together. They see one moment: whoever deletes dooms with the row's
 * removal, and whoever writes bytes first is pardoned with the row's coming, so that there is always one of the two.
 */
export async function findBlobClaims(
  db: Pick<Database, 'snapshot'>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, BlobClaim>> {
  const parsed = keys.map((key) => ({ key, own: parseBlobKey(key) }))
  const owners = new Set(parsed.flatMap(({ own }) => (own !== undefined && 'owner' in own ? [own.owner] : [])))
  const known = await db.snapshot((moment) => findOwners(moment, [...owners]))
  return new Map(parsed.map(({ key, own }) => [key, claimOn(key, own, known)]))
}

type Owners = {
  readonly doomed: ReadonlySet<string>
  readonly generations: ReadonlyMap<string, BlobOwnerRow>
  readonly uploads: ReadonlyMap<string, BlobRow>
  readonly imageKeys: ReadonlySet<string>
  /** Digests of images, by generation: `<id>/<sha256>`. */
  readonly imageDigests: ReadonlySet<string>
}

const UPLOADS_PREFIX = 'uploads/'

async function findOwners(db: Db, owners: readonly string[]): Promise<Owners> {
  const uploadIds = owners
    .filter((owner) => owner.startsWith(UPLOADS_PREFIX))
    .map((owner) => owner.slice(UPLOADS_PREFIX.length))
  const generationIds = owners.filter((owner) => !owner.startsWith(UPLOADS_PREFIX))
  const images = await listBlobsOfGenerations(db, generationIds)
  const generations = await findBlobOwners(db, generationIds)
  const uploads = await findBlobs(db, 'uploads', uploadIds)
  return {
    generations: new Map(generations.map((row) => [row.id, row])),
    uploads: new Map(uploads.map((row) => [`${UPLOADS_PREFIX}${row.id}`, row])),
    imageKeys: new Set(images.map(({ blobKey }) => blobKey)),
    imageDigests: new Set(images.map(({ blobKey, sha256 }) => `${blobKey.slice(0, blobKey.indexOf('/'))}/${sha256}`)),
    doomed: new Set(await findDoomed(db, owners)),
  }
}

function claimOn(key: string, own: OwnBlobKey | undefined, owners: Owners): BlobClaim {
  if (own === undefined) return 'FOREIGN'
  if (own.kind === 'PROBE') return 'LEFT_OVER'
  if (owners.doomed.has(own.owner)) return 'PENDING'
  if (own.kind === 'UPLOAD') return claimOfUpload(key, owners.uploads.get(own.owner))
  const generation = owners.generations.get(own.owner)
  if (generation === undefined || generation.deletedAt !== null) return 'OWNERLESS'
  if (isNeeded(key, own, generation, owners)) return 'NEEDED'
  // What runs stores a picture before its row.
  return generation.status === 'QUEUED' || generation.status === 'RUNNING' ? 'PENDING' : 'LEFT_OVER'
}

function claimOfUpload(key: string, upload: BlobRow | undefined): BlobClaim {
  if (upload === undefined) return 'OWNERLESS'
  return upload.blobKey === key ? 'NEEDED' : 'LEFT_OVER'
}

function isNeeded(
  key: string,
  own: Exclude<OwnBlobKey, { kind: 'PROBE' }>,
  generation: BlobOwnerRow,
  { imageKeys, imageDigests }: Owners,
): boolean {
  switch (own.kind) {
    case 'INPUT':
      return readInputs(generation.inputs).some((input) => input.blobKey === key)
    case 'VARIANT':
      return imageDigests.has(`${own.owner}/${own.sha256}`)
    default:
      return imageKeys.has(key)
  }
}
