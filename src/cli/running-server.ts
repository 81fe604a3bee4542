import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Config } from '../config.ts'

/** In the data directory while a server works on it: whatever port it got, the commands find it. */
const ADDRESS_FILE = 'server.json'
const PROBE_MS = 2_000

const Address = z.object({ url: z.url(), pid: z.number() })

/** Returns what takes the note away again. A note that a crash left behind does no harm: it is tried before it is used. */
export async function noteServerAddress(dataDir: string, url: string, pid: number): Promise<() => Promise<void>> {
  const path = join(dataDir, ADDRESS_FILE)
  await writeFile(path, `${JSON.stringify({ url, pid })}\n`, { mode: 0o600 })
  return () => rm(path, { force: true })
}

/** Address of `/graphql` of the server that works on this data directory, else of one where ours would listen. */
export async function findRunningServer(
  config: Pick<Config, 'dataDir' | 'host' | 'port'>,
): Promise<string | undefined> {
  const candidates = [await readAddress(config.dataDir), configuredUrl(config)]
  for (const url of candidates) if (url !== undefined && (await isPictor(url))) return url
  return undefined
}

/** Does a Pictor answer there? */
export async function isPictor(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(PROBE_MS) })
    const answer: unknown = await response.json()
    return response.ok && z.object({ status: z.literal('ok') }).safeParse(answer).success
  } catch {
    return false
  }
}

/** undefined where the configuration leaves the port to the system. */
export function configuredUrl({ host, port }: Pick<Config, 'host' | 'port'>): string | undefined {
  if (port === 0) return undefined
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/graphql`
}

async function readAddress(dataDir: string): Promise<string | undefined> {
  try {
    return Address.parse(JSON.parse(await readFile(join(dataDir, ADDRESS_FILE), 'utf8'))).url
  } catch {
    return undefined
  }
}
