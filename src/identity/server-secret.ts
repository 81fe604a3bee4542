import { randomBytes as systemRandomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from '../secret.ts'

export const SECRET_FILE = 'secret'
const MIN_SECRET_BYTES = 32
const SECRET_MODE = 0o600
const OTHERS_MODE = 0o077

/**
 * The server's secret: what is configured, else what the data directory holds, else a new one that is put there for its
 * owner alone. Processes that start at the same time agree on one. Rejects with a message that says what to mend.
 */
export async function loadServerSecret(options: {
  readonly configured: Secret | null
  readonly dataDir: string
  readonly randomBytes?: (size: number) => Buffer
}): Promise<Secret> {
  const { configured, dataDir, randomBytes = systemRandomBytes } = options
  if (configured) return checkLength(configured.reveal(), 'PICTOR_SECRET')
  const path = join(dataDir, SECRET_FILE)
  const stored = await readSecretFile(path)
  if (stored) return stored
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await writeOnce(path, `${path}.${randomBytes(8).toString('hex')}.tmp`, randomBytes(32).toString('base64url'))
  const written = await readSecretFile(path)
  if (!written) throw new Error(`The secret in ${path} went away while the server started.`)
  return written
}

async function readSecretFile(path: string): Promise<Secret | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw new Error(`The server's secret in ${path} cannot be read. Let the server's user read it.`, { cause: error })
  }
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && (mode & OTHERS_MODE) !== 0) {
    throw new Error(`Others can read the server's secret. Run: chmod 600 ${path}`)
  }
  return checkLength(text.trim(), path)
}

/** A link appears whole or not at all and never replaces: whoever comes second takes the first one's secret. */
async function writeOnce(path: string, temporary: string, text: string): Promise<void> {
  try {
    const file = await open(temporary, 'wx', SECRET_MODE)
    try {
      await file.writeFile(`${text}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(temporary, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return
    const hint = 'Make its directory writable, or set PICTOR_SECRET.'
    throw new Error(`The server's secret cannot be written to ${path}. ${hint}`, { cause: error })
  } finally {
    await rm(temporary, { force: true })
  }
}

function checkLength(text: string, source: string): Secret {
  if (Buffer.byteLength(text, 'utf8') >= MIN_SECRET_BYTES) return new Secret(text)
  throw new Error(`${source} must hold at least ${MIN_SECRET_BYTES} bytes; make one with: openssl rand -base64 32`)
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
