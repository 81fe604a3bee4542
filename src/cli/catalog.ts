import { type CatalogReport, checkCatalog } from '../composition/catalog-check.ts'
import { readConfig } from '../config.ts'
import { createCommand, createCommandGroup } from './command.ts'
import { CommandError, SilentExit } from './command-error.ts'
import type { CommandContext } from './context.ts'
import type { Output } from './output.ts'
import { formatTable } from './table.ts'

export function createCatalogCommand(context: CommandContext) {
  const check = createCommand(context, {
    name: 'check',
    summary: 'Compare the catalogue with what the vendors list: those whose key is set and that have a list; free',
    examples: ['catalog check', 'catalog check openai'],
  })
    .argument('[provider]', 'only this one')
    .action(async (provider, { json }) => {
      const reports = await checkCatalog(readConfig(context.environment), context, provider)
      if (reports === null) throw new CommandError(2, `There is no provider "${provider}".`)
      if (reports.length === 0) throw new CommandError(1, nothingToCompare(provider))
      if (json) context.output.json({ providers: reports })
      else for (const report of reports) print(context.output, report)
      if (reports.some(needsMending)) throw new SilentExit(1)
    })
  return createCommandGroup(context, { name: 'catalog', summary: 'The models that this server knows' }).addCommand(
    check,
  )
}

function nothingToCompare(provider: string | undefined): string {
  if (provider === undefined)
    return 'No provider has both a key here and a list to compare with. Set a key, and try again.'
  return `The provider "${provider}" has no key here, or its vendor has no list to compare with.`
}

type State = NonNullable<CatalogReport['findings']>[number]['state']

function isFine(state: State): boolean {
  return state === 'LISTED' || state === 'GONE' || state === 'NEW'
}

function needsMending({ findings }: CatalogReport): boolean {
  return findings === null || findings.some(({ state }) => !isFine(state))
}

function print(output: Output, { provider, findings, fault }: CatalogReport): void {
  output.line(output.style('bold', provider))
  if (findings === null) {
    output.line(`  ${output.style('red', '✗')} ${fault}`)
    return
  }
  const rows = findings.map(({ model, state, detail }) => [
    `  ${isFine(state) ? output.style('green', '✓') : output.style('red', '✗')}`,
    model,
    state.toLowerCase(),
    detail,
  ])
  const columns = [{ title: '' }, { title: '' }, { title: '' }, { title: '' }]
  for (const line of formatTable(columns, rows, output.width)) output.line(line)
}
