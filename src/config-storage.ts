import { resolve } from 'node:path'
import { z } from 'zod'
import { webUrl } from './config-fields.ts'
import type { Secret } from './secret.ts'

/** Where the bytes of pictures lie. */
export type StorageConfig = FileStorageConfig | S3StorageConfig

export type FileStorageConfig = { readonly kind: 'file'; readonly directory: string }

export type S3StorageConfig = {
  readonly kind: 's3'
  readonly bucket: string
  /** Ends in `/`; empty: the whole bucket. */
  readonly prefix: string
  readonly region: string
  /** null: Amazon's own. */
  readonly endpoint: string | null
  /** `endpoint/bucket/key` in the place of `bucket.endpoint/key`. */
  readonly pathStyle: boolean
  /** null: from wherever Amazon's SDK finds them, such as the role of the machine. */
  readonly credentials: StorageCredentials | null
  readonly delivery: StorageDelivery
}

export type StorageCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken: Secret | null
}

/** Who hands pictures out: Pictor, the store itself by presigned addresses, or whatever stands before it. */
export type StorageDelivery =
  | { readonly kind: 'pictor' }
  /** null: where Pictor reaches it too. */
  | { readonly kind: 'presigned'; readonly endpoint: string | null }
  | { readonly kind: 'public'; readonly baseUrl: string }

type S3Address = Omit<S3StorageConfig, 'kind' | 'region' | 'credentials' | 'delivery'> & {
  readonly region: string | null
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const PREFIX = /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/
const FORM = 'must be file:<path> or s3://<bucket>/<prefix>?region=…&endpoint=…'

export const storageUrl = z.string().transform((text, context): FileStorageConfig | S3Address => {
  const read = text.startsWith('s3:') ? readS3Url(text) : readFileUrl(text)
  if (typeof read !== 'string') return read
  context.addIssue(read)
  return z.NEVER
})

function readFileUrl(text: string): FileStorageConfig | string {
  const directory = text.startsWith('file:') ? text.slice('file:'.length) : ''
  return directory === '' ? FORM : { kind: 'file', directory: resolve(directory) }
}

/** Text: what is wrong with it. */
function readS3Url(text: string): S3Address | string {
  if (!URL.canParse(text)) return FORM
  const url = new URL(text)
  if (url.username !== '' || url.password !== '')
    return 'must hold no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  if (!BUCKET.test(url.host)) return 'must have a bucket of 3 to 63 small letters, digits, dots and hyphens'
  const path = url.pathname.replace(/^\/|\/$/g, '')
  const prefix = path === '' ? '' : `${path}/`
  if (!PREFIX.test(prefix)) return 'must have a prefix of plain letters, digits, dots, hyphens and underscores'
  const strange = [...url.searchParams.keys()].find((name) => !['region', 'endpoint', 'style'].includes(name))
  if (strange !== undefined) return `knows no parameter \`${strange}\`; there are region, endpoint and style`
  const endpoint = url.searchParams.get('endpoint')
  const style = url.searchParams.get('style') ?? (endpoint === null ? 'virtual' : 'path')
  if (endpoint !== null && !webUrl.safeParse(endpoint).success)
    return 'must have an http(s) URL as its endpoint, such as endpoint=https://s3.example.com'
  if (style !== 'path' && style !== 'virtual') return 'must have `path` or `virtual` as its style'
  const at = endpoint === null ? null : endpoint.replace(/\/+$/, '')
  return { bucket: url.host, prefix, region: url.searchParams.get('region'), endpoint: at, pathStyle: style === 'path' }
}

export const storagePublicUrl = z.string().transform((text, context): StorageDelivery => {
  if (text === 'presigned') return { kind: 'presigned', endpoint: null }
  const presigned = text.startsWith('presigned:')
  const url = webUrl.safeParse(presigned ? text.slice('presigned:'.length) : text)
  if (url.success) {
    return presigned ? { kind: 'presigned', endpoint: url.data } : { kind: 'public', baseUrl: url.data }
  }
  context.addIssue('must be `presigned`, `presigned:<URL of the store>`, or the URL that leads to the bucket')
  return z.NEVER
})

/** What the environment says of the storage, each variable by itself. */
export type StorageVariables = {
  readonly STORAGE_URL?: z.output<typeof storageUrl> | undefined
  readonly STORAGE_PUBLIC_URL?: StorageDelivery | undefined
  readonly AWS_REGION?: string | undefined
  readonly AWS_ACCESS_KEY_ID?: string | undefined
  readonly AWS_SECRET_ACCESS_KEY?: Secret | undefined
  readonly AWS_SESSION_TOKEN?: Secret | undefined
}

/** A text is what is wrong with them together, with the name of the variable. */
export function readStorage(env: StorageVariables, dataDir: string): StorageConfig | string {
  const { STORAGE_URL: place = { kind: 'file', directory: `${dataDir}/images` }, STORAGE_PUBLIC_URL: delivery } = env
  if ('kind' in place) {
    if (delivery === undefined) return place
    return 'STORAGE_PUBLIC_URL is for an S3 bucket in STORAGE_URL; files are handed out by Pictor. Unset it.'
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    return 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together. Set both, or neither.'
  const region = place.region ?? env.AWS_REGION ?? 'us-east-1'
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? null
      : { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN ?? null }
  return { kind: 's3', ...place, region, credentials, delivery: delivery ?? { kind: 'pictor' } }
}
