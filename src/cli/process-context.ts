import { createSystemClock } from '../clock.ts'
import { createIds } from '../ids.ts'
import type { CommandContext } from './context.ts'
import { createInterruptions } from './interruptions.ts'
import { createOutput } from './output.ts'
import type { ServerProcess } from './serve.ts'

/** The real process as what commands and the server are handed. */
export function createProcessContext(system: NodeJS.Process): CommandContext {
  const clock = createSystemClock()
  const { env: environment, stdout, stderr } = system
  return {
    environment,
    output: createOutput({ stdout, stderr, environment }),
    clock,
    ids: createIds(),
    interruptions: createInterruptions({ source: system, clock, exit: () => system.exit(1) }),
  }
}

export function createServerProcess(system: NodeJS.Process, context: CommandContext): ServerProcess {
  return {
    environment: context.environment,
    interruptions: context.interruptions,
    pid: system.pid,
    isTerminal: system.stdout.isTTY === true,
    writeLine: context.output.line,
    onUncaught: (handle) => void system.on('uncaughtException', handle),
    exit: (code) => system.exit(code),
  }
}
