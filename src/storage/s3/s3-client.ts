import { createHash } from 'node:crypto'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { S3Place } from './s3-place.ts'

export type S3Limits = {
  /** Connections at a time. */
  readonly sockets: number
  /** Until there is a connection: the wait for a free one is part of it, so that nobody stands in line for long. */
  readonly connectMs: number
  /** Until the headers of an answer are there, but for what carries bytes up. */
  readonly answerMs: number
  /** The same for what carries bytes up. */
  readonly uploadMs: number
  /** Without a byte in either direction, of whatever is under way: a reader that takes nothing counts too. */
  readonly idleMs: number
  /** Calls for one step, the first included; pauses between them are the SDK's. */
  readonly tries: number
}

/** A step ends within tries × (connect + answer), and whoever called decides whether to try again. */
export const S3_LIMITS: S3Limits = {
  sockets: 128,
  connectMs: 4_000,
  answerMs: 15_000,
  uploadMs: 60_000,
  idleMs: 30_000,
  tries: 3,
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

export function createS3Client({ credentials, ...place }: S3Place, limits: S3Limits): S3Client {
  const config: S3ClientConfig = {
    region: place.region,
    forcePathStyle: place.pathStyle,
    maxAttempts: limits.tries,
    // Uploads bring their own digest, and downloads are held to the length and, where it matters, the digest of their row.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    logger: SILENT,
    requestHandler: {
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: limits.idleMs,
      httpAgent: { maxSockets: limits.sockets },
      httpsAgent: { maxSockets: limits.sockets },
      logger: SILENT,
    },
    ...(place.endpoint !== null && { endpoint: place.endpoint }),
    ...(credentials && { credentials: reveal(credentials) }),
  }
  const client = new S3Client(config)
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'DeleteObjectsCommand') addContentMd5(args.request)
        return next(args)
      },
    { name: 'contentMd5OfDeletions', step: 'build', priority: 'low' },
  )
  return client
}

function reveal({ accessKeyId, secretAccessKey, sessionToken }: NonNullable<S3Place['credentials']>) {
  const token = sessionToken === null ? {} : { sessionToken: sessionToken.reveal() }
  return { accessKeyId, secretAccessKey: secretAccessKey.reveal(), ...token }
}

/** Amazon takes a newer checksum in its place, which many other stores (Swift, older Ceph) do not know. */
function addContentMd5(request: unknown): void {
  if (typeof request !== 'object' || request === null || !('headers' in request) || !('body' in request)) return
  const { headers, body } = request
  if (typeof headers !== 'object' || headers === null) return
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return
  Object.assign(headers, { 'content-md5': createHash('md5').update(body).digest('base64') })
}
