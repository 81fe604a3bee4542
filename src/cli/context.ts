import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Interruptions } from './interruptions.ts'
import type { Output } from './output.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What a command is handed by the process that it runs in. */
export type CommandContext = {
  readonly environment: Environment
  readonly output: Output
  readonly clock: Clock
  readonly ids: Ids
  readonly interruptions: Interruptions
}
