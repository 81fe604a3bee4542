import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type DatabaseProcess = {
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>
}

/** Starts `database-process.ts`; resolves with its first line, and rejects when it ends without one. */
export async function startDatabaseProcess(task: 'hold' | 'migrate' | 'write', url: string): Promise<DatabaseProcess> {
  const script = fileURLToPath(new URL('./database-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, task, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const firstLine = once(createInterface({ input: child.stdout }), 'line')
  const first = await Promise.race([firstLine, ended.then(() => undefined)])
  if (!first) throw new Error(`The process for ${task} ended before it was where it was wanted.`)
  return { kill: () => kill(child, ended) }
}

async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL')
  await ended
}
