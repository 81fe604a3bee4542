import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { findQuietPort } from './server-process.ts'
import { REDIS_SERVER } from './services.ts'

/** A Redis of a test's own, in memory alone. */
export type RedisProcess = {
  readonly url: string
  /** Resolves when it takes connections. */
  start(): Promise<void>
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGSTOP and SIGCONT: its connections stay, and nobody answers. */
  pause(): void
  resume(): void
}

/** On a port that every start has again; not started yet. */
export async function prepareRedisProcess(): Promise<RedisProcess> {
  const port = await findQuietPort()
  let child: ChildProcess | undefined

  return {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
      const started = spawn(REDIS_SERVER, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      child = started
      for await (const line of createInterface({ input: started.stdout })) {
        if (!line.includes('Ready to accept connections')) continue
        started.stdout.resume()
        return
      }
      throw new Error('Redis ended before it took connections.')
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  }
}
