import { CommanderError } from '@commander-js/extra-typings'
import { reportFailure } from './failures.ts'
import { createProcessContext, createServerProcess } from './process-context.ts'
import { createProgram } from './program.ts'

/** Runs one `pictor` command. Exit 0: it worked. 1: it did not. 2: it cannot be done as it was asked. */
export async function runCommandLine(): Promise<void> {
  const context = createProcessContext(process)
  // A reader that has seen enough, such as `head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })

  const program = createProgram(context, async ({ json }) => {
    const { runServer } = await import('./serve.ts')
    const server = createServerProcess(process, context)
    await runServer({ ...server, isTerminal: server.isTerminal && !json })
  })
  await program.parseAsync().catch((error: unknown) => {
    const json = process.argv.includes('--json')
    if (!(error instanceof CommanderError)) process.exitCode = reportFailure(error, context.output, { json })
    else if (error.exitCode !== 0) {
      // Commander has said it on standard error.
      if (json) context.output.json({ error: { message: error.message.replace(/^error: /, ''), code: 'USAGE' } })
      process.exitCode = 2
    }
  })
}
