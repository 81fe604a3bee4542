import { readVersion } from '../composition/version.ts'
import { createAccountsCommand } from './accounts.ts'
import { createBackupCommand } from './backup.ts'
import { createCatalogCommand } from './catalog.ts'
import { createCommand, createCommandGroup } from './command.ts'
import type { CommandContext } from './context.ts'
import { createDoctorCommand } from './doctor.ts'
import { createEstimateCommand } from './estimate.ts'
import { createGenerateCommand } from './generate.ts'
import { createHistoryCommand } from './history.ts'
import { createKeysCommand } from './keys.ts'
import { createMcpCommand } from './mcp.ts'
import { createModelsCommand } from './models.ts'
import { createProviderKeysCommand } from './provider-keys.ts'
import { createRestoreCommand } from './restore.ts'
import { createVerifyCommand } from './verify.ts'

/** @param serve starts a server in this process; `json` where its lines are to be JSON on a terminal too */
export function createProgram(context: CommandContext, serve: (options: { json: boolean }) => Promise<void>) {
  const serveCommand = createCommand(context, {
    name: 'serve',
    summary: 'Start the server; the same as npm start',
    examples: ['serve'],
  }).action(({ json = false }) => serve({ json }))
  return createCommandGroup(context, {
    name: 'pictor',
    summary: 'Pictor: pictures from every model through one GraphQL API',
  })
    .version(readVersion(), '-V, --version', 'show the version')
    .addCommand(createGenerateCommand(context))
    .addCommand(createEstimateCommand(context))
    .addCommand(createModelsCommand(context))
    .addCommand(createHistoryCommand(context))
    .addCommand(createCatalogCommand(context))
    .addCommand(serveCommand)
    .addCommand(createMcpCommand(context))
    .addCommand(createKeysCommand(context))
    .addCommand(createAccountsCommand(context))
    .addCommand(createProviderKeysCommand(context))
    .addCommand(createDoctorCommand(context))
    .addCommand(createVerifyCommand(context))
    .addCommand(createBackupCommand(context))
    .addCommand(createRestoreCommand(context))
    .addHelpText(
      'after',
      '\nExample:\n  $ npm run pictor -- generate a red fox in snow\n\nEach command has --help and --json.',
    )
}
