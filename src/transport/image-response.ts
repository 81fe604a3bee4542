import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { ByteRange, OpenBlob } from '../storage/blob-storage.ts'
import { readByteRange } from './byte-range.ts'

/** A picture that is about to be sent. */
export type Picture = {
  /** Strong, without quotes. */
  readonly etag: string
  readonly mimeType: string
  readonly filename: string
  readonly cacheControl: string
  /** Is not called for a client that has the picture. */
  load(): Promise<PictureBytes | Refusal>
  /** Where else the same bytes are to be had: whoever gets them is led there. */
  elsewhere?(): Promise<string>
}

export type PictureBytes = {
  readonly sizeBytes: number
  open(range?: ByteRange): Promise<OpenBlob | Refusal>
}

/** On every answer: the URL is the only authority, so any page may show the picture, and no page may run it. */
const COMMON_HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Range, ETag',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Timing-Allow-Origin': '*',
  'X-Content-Type-Options': 'nosniff',
} as const

export type Refusal = { readonly status: number; readonly message: string; readonly headers?: Record<string, string> }

/** Answers with plain words. Not to be cached: the same URL may work in a moment. */
export function sendRefusal(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
  const body = Buffer.from(`${refusal.message}\n`)
  res.writeHead(refusal.status, {
    ...COMMON_HEADERS,
    'Cache-Control': 'no-store',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.byteLength,
    ...refusal.headers,
  })
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** Conditional and partial requests as RFC 9110 has them; resolves when the last byte is handed over. */
export async function sendPicture(req: IncomingMessage, res: ServerResponse, picture: Picture): Promise<void> {
  const etag = `"${picture.etag}"`
  const headers = { ...COMMON_HEADERS, 'Cache-Control': picture.cacheControl, ETag: etag }
  if (namesEtag(req.headers['if-none-match'], etag)) {
    res.writeHead(304, headers).end()
    return
  }
  if (picture.elsewhere && req.method === 'GET') {
    // Asked for each time, so that an address that has expired or a deleted picture leads nowhere.
    res.writeHead(302, { ...COMMON_HEADERS, 'Cache-Control': 'no-store', Location: await picture.elsewhere() }).end()
    return
  }
  const bytes = await picture.load()
  if ('status' in bytes) return sendRefusal(req, res, bytes)
  const range = rangeOf(req, etag, bytes.sizeBytes)
  if (range.kind === 'UNSATISFIABLE') {
    const message = 'Ask for one range of bytes within the picture.'
    return sendRefusal(req, res, { status: 416, message, headers: { 'Content-Range': `bytes */${bytes.sizeBytes}` } })
  }
  const part = range.kind === 'PART' ? { start: range.start, end: range.end } : undefined
  // Whoever only asks is not told of a picture that could not be sent.
  const blob = await openExactly(bytes, req.method === 'HEAD' ? { start: 0, end: 0 } : part)
  if ('status' in blob) return sendRefusal(req, res, blob)
  res.writeHead(part ? 206 : 200, {
    ...headers,
    'Accept-Ranges': 'bytes',
    'Content-Disposition': `inline; filename="${picture.filename}"`,
    'Content-Length': part ? part.end - part.start + 1 : bytes.sizeBytes,
    'Content-Type': picture.mimeType,
    ...(part && { 'Content-Range': `bytes ${part.start}-${part.end}/${bytes.sizeBytes}` }),
  })
  if (req.method !== 'HEAD') return pipeline(blob.stream, res)
  blob.stream.destroy()
  res.end()
}

/** A blob of another size than was promised would leave the client waiting for bytes that never come. */
async function openExactly(bytes: PictureBytes, range: ByteRange | undefined): Promise<OpenBlob | Refusal> {
  const blob = await bytes.open(range)
  if ('status' in blob || blob.sizeBytes === bytes.sizeBytes) return blob
  blob.stream.destroy()
  throw new Error(`A stored picture has ${blob.sizeBytes} bytes where ${bytes.sizeBytes} were expected.`)
}

/** Range is defined for GET alone, and holds only while the client's copy is of this very picture. */
function rangeOf(req: IncomingMessage, etag: string, sizeBytes: number) {
  const ifRange = req.headers['if-range']
  const applies = req.method === 'GET' && (ifRange === undefined || ifRange === etag)
  return readByteRange(applies ? req.headers.range : undefined, sizeBytes)
}

/** If-None-Match compares weakly: `W/` makes no difference. */
function namesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag)
}
