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
  /** Resolves with the first line from now on that this is true of. */
  until(matches: (line: LogRecord) => boolean): Promise<LogRecord>
  /** A line of standard input, for an entry that takes commands; resolves when it has been done. */
  tell(command: string): Promise<void>
  /** SIGSTOP and SIGCONT: a process that stands still and goes on knows nothing of it. */
  pause(): void
  resume(): void
  /** Resolves with the exit code, null after a signal, when the process is gone. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>
  /** Rejects when the process ends without having been asked to, with what it said last. */
  readonly crashed: Promise<never>
  /** A new process on the same data and port; resolves when it is ready. */
  restart(): Promise<void>
}

export type LogRecord = Readonly<Record<string, unknown>>

/** A file of this folder that starts a server in another way than `src/main.ts` does, and what it is told. */
export type ServerEntry = { readonly script: string; readonly args: readonly string[] }

/** `node src/main.ts` as an operator runs it, on a port of its own that every restart has again. */
export async function startServerProcess(
  env: Readonly<Record<string, string>>,
  entry: ServerEntry = { script: '../../src/main.ts', args: [] },
): Promise<ServerProcess> {
  const port = await findQuietPort()
  const { lines, write, until } = createLines()
  const crash = Promise.withResolvers<never>()
  // A test that does not wait for it learns of the crash by what no longer answers.
  crash.promise.catch(() => undefined)
  let child = launch(env, port, entry)
  let asked = false
  const url = await untilReady(child, write)
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
    until,
    async tell(command) {
      const done = until(({ did }) => did === command)
      child.stdin?.write(`${command}\n`)
      await done
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    crashed: crash.promise,
    kill,
    async restart() {
      child = launch(env, port, entry)
      await untilReady(child, write)
      watchOver(child)
    },
    async [Symbol.asyncDispose]() {
      await kill('SIGKILL')
    },
  }
}

/** What a process has said so far, and whoever waits for it to say something. */
function createLines() {
  const lines: string[] = []
  const waiting = new Set<(record: LogRecord) => void>()
  return {
    lines,
    write(line: string): LogRecord {
      lines.push(line)
      const record: LogRecord = JSON.parse(line)
      for (const look of [...waiting]) look(record)
      return record
    },
    until: (matches: (line: LogRecord) => boolean) =>
      new Promise<LogRecord>((resolve) => {
        const look = (record: LogRecord) => {
          if (!matches(record)) return
          waiting.delete(look)
          resolve(record)
        }
        waiting.add(look)
      }),
  }
}

function launch(env: Readonly<Record<string, string>>, port: number, { script, args }: ServerEntry): ChildProcess {
  const main = fileURLToPath(new URL(script, import.meta.url))
  const inherited = Object.fromEntries(['PATH', 'HOME', 'TMPDIR'].map((name) => [name, process.env[name]]))
  return spawn(process.execPath, [main, ...args], {
    env: { ...inherited, ...env, PORT: String(port) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** The line that says so is one JSON log line with the field `url`. */
function untilReady(child: ChildProcess, write: (line: string) => LogRecord): Promise<string> {
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
      const { url } = write(line)
      if (typeof url === 'string') resolve(url)
    })
  })
}

/** Below the range from which the kernel gives ports to outgoing connections: none can take it between two runs. */
export async function findQuietPort(): Promise<number> {
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
