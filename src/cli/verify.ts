import { readConfig } from '../config.ts'
import type { VerificationReport } from '../upkeep/verification.ts'
import { createCommand } from './command.ts'
import { SilentExit } from './command-error.ts'
import type { CommandContext } from './context.ts'
import type { Output } from './output.ts'
import { formatCount } from './wording.ts'

/** Reads everything, changes nothing, and says what is not as it must be. */
export function createVerifyCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'verify',
    summary: 'Check that database and images belong together and every sum adds up, also while the server runs',
    examples: ['verify', 'verify --quick'],
  })
    .option('--quick', 'look whether the bytes of images are there, and do not read them')
    .action(async ({ json, quick = false }) => {
      const config = readConfig(context.environment)
      const { verifyInstallation } = await import('../composition/verification.ts')
      const onStep = (step: string) => context.output.status(`Looking at ${step} …`)
      const report = await verifyInstallation(config, { quick, onStep })
      const ok = report.breaches.length === 0
      context.output.status('')
      if (json) context.output.json({ ok, quick, ...report })
      else print(context.output, report)
      if (!ok) throw new SilentExit(1)
    })
}

function print(output: Output, { breaches, checked, leftOver, foreign }: VerificationReport): void {
  const { rules, recordedBlobs, storedBlobs } = checked
  const [known, stored] = [formatCount(recordedBlobs, 'known picture'), formatCount(storedBlobs, 'file')]
  output.line(`Held ${rules} rules against the database, and ${known} against ${stored} in storage.`)
  for (const { rule, ...found } of breaches) {
    output.line(`${output.style('red', '✗')} This must be so, and is not: ${rule}.`)
    output.line(`    ${describe(found)}`)
  }
  if (leftOver.count > 0) {
    output.line(`${output.style('dim', '·')} Left over, and taken away by the server after a day:`)
    output.line(`    ${describe(leftOver)}`)
  }
  if (foreign.count > 0) {
    output.line(`${output.style('dim', '·')} Not Pictor's, and left alone:`)
    output.line(`    ${describe(foreign)}`)
  }
  if (breaches.length === 0) output.line(`${output.style('green', '✓')} Nothing is wrong.`)
  else output.line('What to do about it stands in docs/upkeep.md.')
}

function describe({ count, ids }: VerificationReport['leftOver']): string {
  const more = count > ids.length ? `, and ${count - ids.length} more` : ''
  return `${ids.join(', ')}${more}`
}
