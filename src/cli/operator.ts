import type { Operator } from '../composition/operator.ts'
import { type Config, readConfig } from '../config.ts'
import type { CommandContext } from './context.ts'

export type { Operator }

/** For commands that work on the database itself. */
export async function withOperator<T>(
  context: CommandContext,
  work: (operator: Operator, config: Config) => Promise<T>,
): Promise<T> {
  const config = readConfig(context.environment)
  // Only now: what stands on all this should not make `--help` wait.
  const { openOperator } = await import('../composition/operator.ts')
  const operator = await openOperator(config, context)
  try {
    return await work(operator, config)
  } finally {
    await operator.close()
  }
}
