import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type ServerProcess = AsyncDisposable & {
  readonly url: string
  readonly wsUrl: string
  readonly port: number
  /** Of the run that runs. */
  pid(): number
  /** Lines of standard output, of all runs. */
  readonly lines: readonly string[]
  /** Resolves with the exit code, null after a signal, when the process is gone. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>
  /** Rejects when the process ends without having been asked to, with what it said last. */
  readonly crashed: Promise<never>
  /** A new process on the same data and port; resolves when it is ready. */
  restart(): Promise<void>
}

/** `node src/main.ts` as an operator runs it, on a port of its own that every restart has again. */
export async function startServerProcess(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const port = await findQuietPort()
  const lines: string[] = []
  const crash = Promise.withResolvers<never>()
  // A test that does not wait for it learns of the crash by what no longer answers.
  crash.promise.catch(() => undefined)
  let child = launch(env, port)
  let asked = false
  const url = await untilReady(child, lines)
  watchOver(child)

  function watchOver(started: ChildProcess): void {
    asked = false
    started.once('exit', (code, signal) => {
      if (asked) return
      crash.reject(new Error(`The server ended by itself (${code ?? signal}):\n${lines.slice(-5).join('\n')}`))
    })
  }

  async function kill(signal: NodeJS.Signals): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    asked = true
    const gone = once(child, 'exit')
    child.kill(signal)
    const [code] = await gone
    return code
  }

  return {
    url,
    wsUrl: url.replace(/^http/, 'ws'),
    port,
    pid: () => child.pid ?? 0,
    lines,
    crashed: crash.promise,
    kill,
    async restart() {
      child = launch(env, port)
      await untilReady(child, lines)
      watchOver(child)
    },
    async [Symbol.asyncDispose]() {
      await kill('SIGKILL')
    },
  }
}

function launch(env: Readonly<Record<string, string>>, port: number): ChildProcess {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const inherited = Object.fromEntries(['PATH', 'HOME', 'TMPDIR'].map((name) => [name, process.env[name]]))
  return spawn(process.execPath, [main], {
    env: { ...inherited, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The line that says so is one JSON log line with the field `url`. */
function untilReady(child: ChildProcess, lines: string[]): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('The process has no output.')
  let complaints = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => {
      reject(new Error(`The server ended before it was ready (${code ?? signal}): ${complaints}`))
    })
    createInterface({ input: stdout }).on('line', (line) => {
      lines.push(line)
      const url: unknown = JSON.parse(line).url
      if (typeof url === 'string') resolve(url)
    })
  })
}

/** Below the range from which the kernel gives ports to outgoing connections: none can take it between two runs. */
async function findQuietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
