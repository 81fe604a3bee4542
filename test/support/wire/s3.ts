import { createHash } from 'node:crypto'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireVendor } from './wire-server.ts'

/** A store that speaks S3 and does not always do as it says. */
export type PlayedStore = {
  readonly create: () => WireVendor
  /** Environment of a Pictor that keeps its pictures there. */
  environment(origin: string): Readonly<Record<string, string>>
  /** While it is away, whatever is asked of it is answered with this status. */
  setAway(status: number | null): void
  /** By key, without the bucket. */
  readonly objects: ReadonlyMap<string, Buffer>
}

const BUCKET = 'pictures'
const PAGE = 3

/**
 * Objects in memory, in pages of three. Modes go by objects that are put (in one piece or in parts) and read: `lost` says
 * that it took one and has not, `damaged` keeps other bytes than it was sent, `sealed` keeps them and tells no digest of
 * them, and whatever `wire-reply.ts` has.
 */
export function playStore(): PlayedStore {
  const objects = new Map<string, Buffer>()
  const sealed = new Set<string>()
  const uploads = new Map<string, Map<number, Buffer>>()
  let awayStatus: number | null = null

  function put(key: string, bytes: Buffer, mode: WireMode): WireReply {
    if (mode.name === 'lost') return { headers: { etag: etagOf(bytes) } }
    if (mode.name === 'sealed') sealed.add(key)
    objects.set(key, mode.name === 'damaged' ? Buffer.concat([bytes.subarray(1), Buffer.from('!')]) : bytes)
    return { headers: { etag: etagOf(bytes) } }
  }

  function read(request: WireRequest, key: string): WireReply {
    const bytes = objects.get(key)
    if (bytes === undefined) return fault(404, 'NoSuchKey')
    const etag = sealed.has(key) ? '"not-a-digest"' : etagOf(bytes)
    const headers = { etag, 'last-modified': new Date().toUTCString() }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (first === undefined || last === undefined)
      return { headers: { ...headers, 'content-length': String(bytes.length) }, body: bodyOf(request, bytes) }
    if (Number(first) >= bytes.length) return fault(416, 'InvalidRange')
    const part = bytes.subarray(Number(first), Number(last) + 1)
    const range = `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}`
    return { status: 206, headers: { ...headers, 'content-range': range }, body: bodyOf(request, part) }
  }

  function handleParts(request: WireRequest, key: string, mode: WireMode): WireReply {
    const id = request.query.get('uploadId')
    if (id === null) {
      uploads.set(key, new Map())
      return xml(`<InitiateMultipartUploadResult><UploadId>${key}</UploadId></InitiateMultipartUploadResult>`)
    }
    const parts = uploads.get(id)
    if (parts === undefined) return fault(404, 'NoSuchUpload')
    if (request.method === 'PUT') {
      parts.set(Number(request.query.get('partNumber')), request.body)
      return { headers: { etag: etagOf(request.body) } }
    }
    uploads.delete(id)
    if (request.method === 'DELETE') return { status: 204 }
    put(key, Buffer.concat([...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part)), mode)
    return xml('<CompleteMultipartUploadResult><ETag>"parts"</ETag></CompleteMultipartUploadResult>')
  }

  function handle(request: WireRequest, mode: WireMode): WireReply {
    if (awayStatus !== null) return fault(awayStatus, 'ServiceUnavailable')
    if (!isSound(request)) return fault(400, 'BadDigest')
    const key = keyOf(request)
    const { method, query } = request
    if (query.get('list-type') === '2') return listObjects(objects, query)
    if (query.has('uploads') && method === 'GET')
      return xml(
        `<ListMultipartUploadsResult>${[...uploads.keys()].map(uploadXml).join('')}</ListMultipartUploadsResult>`,
      )
    if (query.has('uploads') || query.has('uploadId')) return handleParts(request, key, mode)
    if (query.has('delete')) {
      for (const [, each = ''] of request.body.toString().matchAll(/<Key>([^<]+)<\/Key>/g)) objects.delete(each)
      return xml('<DeleteResult></DeleteResult>')
    }
    if (method === 'PUT') return put(key, request.body, mode)
    if (method === 'GET' || method === 'HEAD') return read(request, key)
    objects.delete(key)
    return { status: 204 }
  }

  return {
    create: () => ({ handle, isBillable: isAboutBytes }),
    environment: (origin) => ({
      STORAGE_URL: `s3://${BUCKET}/here?endpoint=${origin}`,
      AWS_ACCESS_KEY_ID: 'any-key',
      AWS_SECRET_ACCESS_KEY: 'any-secret',
    }),
    setAway: (status) => {
      awayStatus = status
    },
    objects,
  }
}

/** Requests that carry the bytes of an object, in either direction. */
function isAboutBytes(request: WireRequest): boolean {
  return request.method === 'PUT' || (request.method === 'GET' && keyOf(request) !== '')
}

function keyOf({ path }: WireRequest): string {
  return path.slice(`/${BUCKET}/`.length)
}

function listObjects(objects: ReadonlyMap<string, Buffer>, query: URLSearchParams): WireReply {
  const after = query.get('continuation-token') ?? ''
  const keys = [...objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '') && key > after).toSorted()
  const page = keys.slice(0, PAGE)
  const contents = page.map((key) => `<Contents><Key>${key}</Key><Size>${objects.get(key)?.length}</Size></Contents>`)
  const next = keys.length > PAGE ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  return xml(
    `<ListBucketResult><IsTruncated>${keys.length > PAGE}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
  )
}

function uploadXml(key: string): string {
  return `<Upload><Key>${key}</Key><UploadId>${key}</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>`
}

/** Every digest that comes with a body is that of the body; deletions of many bring one that old stores know. */
function isSound({ headers, body, query, method }: WireRequest): boolean {
  const told = [
    [headers['x-amz-content-sha256'], createHash('sha256').update(body).digest('hex')],
    [headers['x-amz-checksum-sha256'], createHash('sha256').update(body).digest('base64')],
    [headers['content-md5'], createHash('md5').update(body).digest('base64')],
  ]
  if (query.has('delete') && headers['content-md5'] === undefined) return false
  if (method === 'PUT' && headers['x-amz-checksum-sha256'] === undefined) return false
  return told.every(([given, own]) => given === undefined || given === own)
}

function etagOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}

function bodyOf({ method }: WireRequest, bytes: Buffer): Buffer {
  return method === 'HEAD' ? Buffer.alloc(0) : bytes
}

function fault(status: number, code: string): WireReply {
  return { ...xml(`<Error><Code>${code}</Code><Message>So it is.</Message></Error>`), status }
}

function xml(text: string): WireReply {
  return { headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0" encoding="UTF-8"?>${text}` }
}
