import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A server in a process of its own, so that the load does not run on its event loop. */
export type ServerProcess = {
  readonly url: string
  readonly dataDir: string
  /** From the start of the process to the line that says that it is ready. */
  readonly startMs: number
  /** Resident memory in bytes. */
  memory(): Promise<number>
  /** Processor time so far, of all its threads, in seconds. */
  processorSeconds(): Promise<number>
  /** The data directory goes with it unless it is to be kept. */
  stop(options?: { keepData: boolean }): Promise<void>
}

/** A price, so that what is measured includes a hold of real money. */
const CATALOG = { models: [{ id: 'sandbox/painter', prices: [{ unit: 'IMAGE', usd: '0.04', source: 'bench' }] }] }

export async function startPictor(environment: Record<string, string> = {}, dataDir?: string): Promise<ServerProcess> {
  const directory = dataDir ?? (await mkdtemp(join(tmpdir(), 'pictor-bench-')))
  const catalog = join(directory, 'catalog.json')
  await writeFile(catalog, JSON.stringify(CATALOG))
  return start(
    ['src/main.ts'],
    { PICTOR_DATA_DIR: directory, PORT: '0', LOG_LEVEL: 'info', PICTOR_CATALOG: catalog, ...environment },
    directory,
  )
}

export function startBaseline(): Promise<ServerProcess> {
  return start(['bench/bare-yoga.ts'], {}, '')
}

async function start(args: string[], environment: Record<string, string>, dataDir: string): Promise<ServerProcess> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--expose-gc', ...args], {
    cwd: join(import.meta.dirname, '..'),
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await readUrl(child)
  const startMs = performance.now() - startedAt
  child.stdout?.resume()
  return {
    url,
    dataDir,
    startMs,
    memory: () => readMemory(child),
    processorSeconds: () => readProcessorSeconds(child),
    async stop({ keepData } = { keepData: false }) {
      if (child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      if (dataDir !== '' && !keepData) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function readUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('The server has no output.')
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    const { url } = JSON.parse(line)
    if (typeof url === 'string') return url
  }
  throw new Error('The server ended before it was ready.')
}

async function readMemory(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

/** Counted by the kernel in hundredths of a second. */
async function readProcessorSeconds(child: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
