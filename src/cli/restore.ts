import { type Config, readConfig } from '../config.ts'
import type { RestoreResult } from '../upkeep/restore.ts'
import { createCommand } from './command.ts'
import { CommandError } from './command-error.ts'
import type { CommandContext } from './context.ts'
import type { Output } from './output.ts'
import { findRunningServer } from './running-server.ts'
import { formatCount, formatTime } from './wording.ts'

type RestoreFlags = {
  readonly resume?: true | undefined
  readonly inPlace?: true | undefined
  readonly json?: true | undefined
}

/** The way back from a backup, which sends nothing to a provider unless that is asked for. */
export function createRestoreCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'restore',
    summary: 'Put a backup into an empty data directory; what had not ended in it is ended, and not sent again',
    examples: ['restore /mnt/backups/pictor', 'restore --in-place'],
  })
    .argument('[folder]', 'what `pictor backup` wrote')
    .option('--resume', 'let generations go on that had not ended: only where no server has run since the backup')
    .option('--in-place', 'for a database that was restored by other means: end what had not ended in it, and no more')
    .action((folder, flags) => {
      const config = readConfig(context.environment)
      if (flags.inPlace) return endInPlace(context, config, folder, flags)
      if (folder === undefined) throw new CommandError(2, 'Name the folder of the backup.')
      return restoreFolder(context, config, folder, flags)
    })
}

async function restoreFolder(context: CommandContext, config: Config, folder: string, flags: RestoreFlags) {
  const { output, clock, ids } = context
  const { restoreInstallation } = await import('../composition/backup.ts')
  const onStep = (step: string) => output.status(`${step} …`)
  const resume = flags.resume === true
  const result = await restoreInstallation(config, folder, { clock, ids, resume, onStep })
  output.status('')
  const { manifest, ended } = result
  if (flags.json) output.json({ dataDir: config.dataDir, ended, resumed: resume, ...manifest })
  else report(output, config, result, resume)
}

async function endInPlace(context: CommandContext, config: Config, folder: string | undefined, flags: RestoreFlags) {
  if (folder !== undefined || flags.resume) throw new CommandError(2, '--in-place goes alone.')
  const url = await findRunningServer(config)
  if (url !== undefined) throw new CommandError(1, `A server runs at ${url}. Stop it first.`)
  const { endUnfinished } = await import('../composition/backup.ts')
  const ended = await endUnfinished(config, context)
  if (flags.json) context.output.json({ ended })
  else context.output.line(describeEnded(ended))
}

function report(output: Output, config: Config, { manifest, ended }: RestoreResult, resume: boolean): void {
  const { createdAt, generations, pictures, secretSha256, lost } = manifest
  output.line(config.dataDir)
  output.line(
    output.style(
      'dim',
      `${formatCount(generations, 'generation')} and ${formatCount(pictures, 'picture')}, as of ${formatTime(createdAt)}`,
    ),
  )
  if (!resume) output.line(describeEnded(ended))
  if (lost.length > 0)
    output.line(`The bytes of ${formatCount(lost.length, 'picture')} were missing when it was made, and still are.`)
  output.line('What was deleted, revoked or changed after that moment is as it was then: do it again.')
  if (secretSha256 === null && config.secret === null) {
    output.line(
      'The secret is not part of it. Set PICTOR_SECRET to what it was, or all tokens and image addresses end.',
    )
  } else if (secretSha256 !== null && config.secret !== null) {
    output.line('PICTOR_SECRET is set and goes before the secret of the backup.')
  }
  output.line(`Check it with: PICTOR_DATA_DIR=${config.dataDir} npm run pictor -- verify`)
  output.line(`Start it with: PICTOR_DATA_DIR=${config.dataDir} npm start`)
}

function describeEnded(ended: number): string {
  if (ended === 0) return 'Nothing in it had to be ended.'
  return `Ended ${formatCount(ended, 'generation')} that had not ended: what may have been made and paid since is not sent again.`
}
