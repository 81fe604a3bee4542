import { reportFailure } from './failures.ts'
import { createProcessContext, createServerProcess } from './process-context.ts'
import { runServer } from './serve.ts'

/** Serves until a signal ends it. What keeps it from starting is told on standard error, and in the exit code. */
export async function startServer(): Promise<void> {
  const context = createProcessContext(process)
  try {
    await runServer(createServerProcess(process, context))
  } catch (error) {
    context.output.note('Pictor cannot start.')
    process.exitCode = reportFailure(error, context.output, { json: false })
  }
}
