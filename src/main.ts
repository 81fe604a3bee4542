import { reportFailure } from './cli/failures.ts'
import { createProcessContext, createServerProcess } from './cli/process-context.ts'
import { runServer } from './cli/serve.ts'

/** The server's entry, and with `cli/main.ts` the only file that acts when it is loaded. */
const context = createProcessContext(process)
runServer(createServerProcess(process, context)).catch((error: unknown) => {
  context.output.note('Pictor cannot start.')
  process.exitCode = reportFailure(error, context.output, { json: false })
})
