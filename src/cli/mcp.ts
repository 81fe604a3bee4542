import { createApiCommand } from './command.ts'
import { findTarget, noServer } from './connection.ts'
import type { CommandContext } from './context.ts'

/** For desktop assistants: they start it, and speak to a server that runs already. */
export function createMcpCommand(context: CommandContext) {
  return createApiCommand(context, {
    name: 'mcp',
    summary: 'Speak the Model Context Protocol on standard input and output, for desktop assistants',
    orElse: '',
    examples: ['mcp', 'mcp --url https://pictures.example.com'],
  }).action(async (options) => {
    // Only now: no other command needs the protocol.
    const { runMcpBridge } = await import('./mcp-bridge.ts')
    await runMcpBridge({
      findServer: async () => {
        const target = await findTarget(context, options)
        if (target === undefined) throw noServer()
        return target
      },
      note: context.output.note,
      interruptions: context.interruptions,
    })
  })
}
