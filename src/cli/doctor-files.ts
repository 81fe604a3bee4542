import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../clock.ts'
import { describeStorage, openStorage } from '../composition/storage.ts'
import type { Config } from '../config.ts'
import { loadServerSecret, SECRET_FILE } from '../identity/server-secret.ts'
import { bad, type Finding, good, messageOf } from './finding.ts'
import { formatBytes } from './wording.ts'

const OTHERS_MODE = 0o077
const LITTLE_SPACE_BYTES = 500 * 1024 * 1024

export async function checkDataDirectory(path: string): Promise<Finding> {
  const name = 'data directory'
  const stats = await findStats(path)
  if (!stats) {
    const parent = await nearestExisting(path)
    return (await isWritable(parent))
      ? good(name, `${path} will be made at the first start`)
      : bad(
          name,
          `${path} cannot be made: ${parent} is not writable`,
          `Run: chmod u+w ${parent}, or set PICTOR_DATA_DIR.`,
        )
  }
  if (!stats.isDirectory()) return bad(name, `${path} is no directory`, 'Move it away, or set PICTOR_DATA_DIR.')
  if (!(await isWritable(path))) return bad(name, `${path} is not writable`, `Run: chmod u+rwx ${path}`)
  if (process.platform !== 'win32' && (stats.mode & OTHERS_MODE) !== 0) {
    return good(name, `${path} (others may look into it: chmod 700 ${path} keeps them out)`)
  }
  return good(name, path)
}

export async function checkDiskSpace(dataDir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await nearestExisting(dataDir))
  const freeBytes = bavail * bsize
  const detail = `${formatBytes(freeBytes)} free`
  if (freeBytes >= LITTLE_SPACE_BYTES) return good('disk', detail)
  return bad('disk', detail, 'Make room: when the disk is full, nothing is accepted any more.')
}

/** The loader makes a secret where there is none; here there is only a look at the one that is. */
export async function checkSecret(config: Config): Promise<Finding> {
  const path = join(config.dataDir, SECRET_FILE)
  if (config.secret === null && !(await findStats(path))) {
    return good('secret', 'will be made at the first start')
  }
  try {
    await loadServerSecret({ configured: config.secret, dataDir: config.dataDir })
    return good('secret', config.secret ? 'from PICTOR_SECRET' : `${path}, for its owner alone`)
  } catch (error) {
    return bad('secret', messageOf(error), 'Do as it says; images signed with another secret need new URLs.')
  }
}

/** Writes, reads and deletes a probe. */
export async function checkStorage(config: Config, clock: Clock): Promise<Finding> {
  const place = describeStorage(config)
  if (config.storage.kind === 'file' && !(await findStats(config.storage.directory)))
    return good('storage', `${place} will be made with the first picture`)
  const key = `doctor-${process.pid}`
  const probe = Buffer.from('Can this be read again?')
  try {
    const storage = await openStorage(config, clock)
    await storage.put(key, probe)
    const bytes = await storage.get(key)
    await storage.delete(key)
    if (bytes && probe.equals(bytes)) return good('storage', `${place} takes, gives back and deletes`)
    return bad('storage', `${place} gives back other bytes than it was given`, 'Check what lies below it.')
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return bad('storage', `${place}: ${messageOf(reason)}`, mendStorage(config))
  }
}

function mendStorage({ storage }: Config): string {
  if (storage.kind === 'file') return `Let this user write to ${storage.directory}, or set STORAGE_URL.`
  return 'Check bucket, region and endpoint in STORAGE_URL, the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they allow: docs/storage.md.'
}

async function findStats(path: string) {
  return stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
}

async function nearestExisting(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    if (place === dirname(place) || (await stat(place).catch(() => undefined))) return place
  }
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
}
