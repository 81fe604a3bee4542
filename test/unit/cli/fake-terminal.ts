import type { CommandContext } from '../../../src/cli/context.ts'
import { createOutput } from '../../../src/cli/output.ts'
import { createIds } from '../../../src/ids.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

/** Streams that keep what is written to them. */
export function createFakeTerminal(
  options: { isTTY?: boolean; columns?: number; environment?: Record<string, string> } = {},
) {
  const { isTTY = false, columns = 80, environment = {} } = options
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY,
    columns,
    write: (text: string) => {
      written[name] += text
    },
  })
  const output = createOutput({ stdout: stream('stdout'), stderr: stream('stderr'), environment })
  const clock = createFakeClock()
  const context: CommandContext = {
    environment,
    output,
    clock,
    ids: createIds(),
    interruptions: { listen: () => () => undefined },
  }
  return { output, written, clock, context }
}
