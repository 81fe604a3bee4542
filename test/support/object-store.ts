import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { readConfig } from '../../src/config.ts'
import type { S3StorageConfig } from '../../src/config-storage.ts'
import { createScratchFolder } from './scratch-folder.ts'
import { PYTHON_PATH } from './services.ts'

type Environment = Readonly<Record<string, string>>

/** A real S3 store with a bucket in it. */
export type ObjectStore = {
  /** As a server would be told of it: an empty place of its own, each time. */
  newPlace(): Environment
  close(): Promise<void>
}

const BUCKET = 'pictures'
const KEYS = { AWS_ACCESS_KEY_ID: 'test:pictor', AWS_SECRET_ACCESS_KEY: 'testing' }

/**
 * OpenStack Swift with its S3 interface, on this machine and in one process (`object_store.py`). With PICTOR_TEST_S3_URL, in the
 * form of STORAGE_URL and with the keys in AWS_…, any other store in its place.
 */
export async function openObjectStore(): Promise<ObjectStore> {
  const { PICTOR_TEST_S3_URL: url, AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env
  if (url === undefined) return startSwift()
  const keys = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }
  return { newPlace: () => ({ ...keys, STORAGE_URL: belowUrl(url) }), close: async () => undefined }
}

async function startSwift(): Promise<ObjectStore> {
  const { folder, remove } = await createScratchFolder()
  const script = fileURLToPath(new URL('./object_store.py', import.meta.url))
  const child = spawn(PYTHON_PATH, [script, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const close = async () => {
    child.stdin.end()
    await ended
    await remove()
  }
  const firstLine = once(createInterface({ input: child.stdout }), 'line')
  const [line] = await Promise.race([firstLine, ended.then(() => [undefined])])
  if (line === undefined) throw new Error('Swift ended before it listened: is python3-swift installed?')
  const { endpoint } = JSON.parse(line)
  const url = `s3://${BUCKET}/?endpoint=${endpoint}`
  await createBucket(readPlace({ ...KEYS, STORAGE_URL: url }))
  return { newPlace: () => ({ ...KEYS, STORAGE_URL: belowUrl(url) }), close }
}

/** A folder of the bucket that nobody else has. */
function belowUrl(url: string): string {
  const place = new URL(url)
  place.pathname = `${place.pathname.replace(/\/$/, '')}/${randomBytes(6).toString('hex')}`
  return place.href
}

export function readPlace(environment: Environment): S3StorageConfig {
  const { storage } = readConfig(environment)
  if (storage.kind !== 's3') throw new Error('This is no S3 place.')
  return storage
}

async function createBucket({ bucket, endpoint, region, credentials }: S3StorageConfig): Promise<void> {
  if (endpoint === null || credentials === null) throw new Error('A store of our own has an endpoint and keys.')
  const { accessKeyId, secretAccessKey } = credentials
  const keys = { accessKeyId, secretAccessKey: secretAccessKey.reveal() }
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: keys })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
}
