import { resolve } from 'node:path'
import { readVersion } from '../composition/version.ts'
import { type Config, readConfig } from '../config.ts'
import type { BackupResult } from '../upkeep/backup.ts'
import { createCommand } from './command.ts'
import { SilentExit } from './command-error.ts'
import type { CommandContext } from './context.ts'
import type { Output } from './output.ts'
import { formatBytes, formatCount } from './wording.ts'

/** Copies everything that a server needs, also while it runs. */
export function createBackupCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'backup',
    summary: 'Copy database, images and secret into a folder, also while the server runs',
    examples: ['backup /mnt/backups/pictor'],
  })
    .argument('<folder>', 'a new folder, or one with an earlier backup: it then copies only what is new')
    .action(async (folder, { json }) => {
      const config = readConfig(context.environment)
      const { backUpInstallation } = await import('../composition/backup.ts')
      const onStep = (step: string) => context.output.status(`${step} …`)
      const tools = { clock: context.clock, ids: context.ids, pictorVersion: readVersion(), onStep }
      const result = await backUpInstallation(config, folder, tools)
      context.output.status('')
      if (json) context.output.json({ folder: resolve(folder), ...result })
      else report(context.output, resolve(folder), result, config)
      if (result.lost.length > 0) throw new SilentExit(1)
    })
}

function report(output: Output, folder: string, result: BackupResult, config: Config): void {
  const { generations, pictures, pictureBytes, copied, kept, lost, secretSha256 } = result
  output.line(folder)
  const facts = `${formatCount(generations, 'generation')}, ${formatCount(pictures, 'picture')} of ${formatBytes(pictureBytes)}`
  output.line(output.style('dim', `${facts}: ${copied} copied, ${kept} there before`))
  if (secretSha256 !== null) {
    output.line(
      "It holds the server's secret. Whoever can read the folder can sign image addresses and open stored keys.",
    )
  } else if (config.secret !== null) {
    output.line('PICTOR_SECRET is set and not part of it: keep it elsewhere.')
  }
  if (config.catalogFile !== null) output.line(`${config.catalogFile} (PICTOR_CATALOG) is not part of it.`)
  if (lost.length === 0) return
  output.note(
    `${output.noteStyle('red', 'missing')}: the bytes of ${formatCount(lost.length, 'picture')} are gone or damaged, and not in the backup. See \`pictor verify\`.`,
  )
}
