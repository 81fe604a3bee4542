import { createCommand } from './command.ts'
import { SilentExit } from './command-error.ts'
import type { CommandContext } from './context.ts'
import type { Finding } from './finding.ts'
import type { Output } from './output.ts'
import { formatTable } from './table.ts'

/** Looks at everything that a server needs, changes nothing, and says what to mend. */
export function createDoctorCommand(context: CommandContext) {
  return createCommand(context, {
    name: 'doctor',
    summary: 'Check configuration, database, storage, keys, clock and port, and say what to mend',
    examples: ['doctor'],
  }).action(async ({ json }) => {
    const { runChecks } = await import('./doctor-checks.ts')
    const findings = await runChecks(context, process.versions.node)
    const ok = findings.every((finding) => finding.ok)
    if (json) context.output.json({ ok, checks: findings })
    else print(context.output, findings)
    if (!ok) throw new SilentExit(1)
  })
}

function print(output: Output, findings: readonly Finding[]): void {
  const rows = findings.map(({ ok, name, detail }) => [
    ok ? output.style('green', '✓') : output.style('red', '✗'),
    name,
    detail,
  ])
  const lines = formatTable([{ title: '' }, { title: '' }, { title: '' }], rows)
  const indent = ' '.repeat(3 + Math.max(...findings.map(({ name }) => name.length)) + 2)
  findings.forEach(({ mend }, index) => {
    output.line(lines[index] ?? '')
    if (mend !== null) output.line(`${indent}${output.style('yellow', '→')} ${mend}`)
  })
  const faults = findings.filter((finding) => !finding.ok).length
  output.line()
  output.line(faults === 0 ? 'All is well.' : faults === 1 ? 'One thing to mend.' : `${faults} things to mend.`)
}
