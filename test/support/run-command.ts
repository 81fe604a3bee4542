import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export type CommandResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export type RunningCommand = {
  readonly child: ChildProcess
  /** Resolves with the first line of standard error that holds `part`; rejects when it ends without one. */
  untilNote(part: string): Promise<string>
  readonly result: Promise<CommandResult>
}

/** `pictor …` in a process of its own, with nothing of the environment but what is given. */
export function startCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  entry = 'src/cli/main.ts',
): RunningCommand {
  const main = fileURLToPath(new URL(`../../${entry}`, import.meta.url))
  const inherited = Object.fromEntries(['PATH', 'HOME', 'TMPDIR'].map((name) => [name, process.env[name]]))
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const notes: string[] = []
  const seen = new Set<() => void>()
  createInterface({ input: child.stderr }).on('line', (line) => {
    notes.push(line)
    for (const look of seen) look()
  })
  const closed = once(child, 'close')
  const stdout = text(child.stdout)
  const result = closed.then(async ([code]) => ({ code, stdout: await stdout, stderr: notes.join('\n') }))

  function untilNote(part: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = notes.find((note) => note.includes(part))
        if (line !== undefined) resolve(line)
      }
      seen.add(look)
      look()
      void closed.then(() => reject(new Error(`It ended without saying "${part}": ${notes.join('\n')}`)))
    })
  }

  return { child, untilNote, result }
}

export function runCommand(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandResult> {
  return startCommand(args, env).result
}
