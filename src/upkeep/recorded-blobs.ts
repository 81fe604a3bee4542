import { readInputs } from '../references/reference-image.ts'
import { generationPrefix, parseBlobKey } from '../storage/blob-keys.ts'
import { type BlobRow, findBlobOwners, findBlobs, type InputsRow, listBlobs, listInputs } from '../store/blob-store.ts'
import type { Db } from '../store/database.ts'

/** Bytes that a row says are in storage. */
export type RecordedBlob = {
  /** Of an `IMAGE` and an `UPLOAD`, its own; of an `INPUT`, its generation's. */
  readonly kind: 'IMAGE' | 'INPUT' | 'UPLOAD'
  readonly id: string
  readonly key: string
  readonly sizeBytes: number
  /** null: the row tells none, which is a fault of the row. */
  readonly sha256: string | null
  /** Do they lie where this row's bytes belong? */
  readonly isInPlace: boolean
}

const PAGE = 500

/** All that there are, page by page: images, then inputs, then uploads. */
export async function* listRecordedBlobs(db: Db): AsyncGenerator<RecordedBlob> {
  yield* inPages(
    (page) => listBlobs(db, 'images', page),
    (row) => [fromRow('IMAGE', row)],
  )
  yield* inPages((page) => listInputs(db, page), fromInputs)
  yield* inPages(
    (page) => listBlobs(db, 'uploads', page),
    (row) => [fromRow('UPLOAD', row)],
  )
}

/** Does the row still say so? Bytes that are missed may have been deleted since, with their row. */
export async function isStillRecorded(db: Db, { kind, id, key }: RecordedBlob): Promise<boolean> {
  if (kind === 'INPUT') {
    const [owner] = await findBlobOwners(db, [id])
    return owner !== undefined && readInputs(owner.inputs).some((input) => input.blobKey === key)
  }
  const [row] = await findBlobs(db, kind === 'IMAGE' ? 'images' : 'uploads', [id])
  return row?.blobKey === key
}

async function* inPages<Row extends { readonly id: string }>(
  list: (page: { afterId: string; limit: number }) => Promise<Row[]>,
  read: (row: Row) => readonly RecordedBlob[],
): AsyncGenerator<RecordedBlob> {
  let afterId = ''
  for (;;) {
    const rows = await list({ afterId, limit: PAGE })
    for (const row of rows) yield* read(row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) return
    afterId = last.id
  }
}

function fromRow(kind: 'IMAGE' | 'UPLOAD', { id, blobKey: key, sizeBytes, sha256 }: BlobRow): RecordedBlob {
  return { kind, id, key, sizeBytes, sha256, isInPlace: parseBlobKey(key)?.kind === kind }
}

function fromInputs({ id, inputs }: InputsRow): readonly RecordedBlob[] {
  return readInputs(inputs).map(({ blobKey: key, sizeBytes }) => {
    const parsed = parseBlobKey(key)
    const isInPlace = parsed?.kind === 'INPUT' && key.startsWith(generationPrefix(id))
    return { kind: 'INPUT', id, key, sizeBytes, sha256: isInPlace ? parsed.sha256 : null, isInPlace }
  })
}
