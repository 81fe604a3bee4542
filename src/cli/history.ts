import { InvalidArgumentError } from '@commander-js/extra-typings'
import {
  type GenerationStatus,
  HistoryDocument,
  type HistoryFilter,
  type HistoryQuery,
} from '../../schema/generated/operations.ts'
import { createApiCommand, parseWholeNumber } from './command.ts'
import { withApi } from './connection.ts'
import type { CommandContext } from './context.ts'
import type { Output, Style } from './output.ts'
import { formatTable } from './table.ts'
import { formatDuration, formatMoney, formatTime, showable } from './wording.ts'

type Generation = HistoryQuery['history']['edges'][number]['node']

const STATUS_STYLES = {
  QUEUED: 'dim',
  RUNNING: 'cyan',
  COMPLETED: 'green',
  FAILED: 'red',
  CANCELED: 'yellow',
} as const satisfies Record<GenerationStatus, Style>

export function createHistoryCommand(context: CommandContext) {
  return createApiCommand(context, {
    name: 'history',
    summary: 'List what was made, newest first',
    examples: ['history', 'history --status failed --first 5', 'history --search "red fox" --model sandbox/painter'],
  })
    .option('--first <n>', 'how many', parseWholeNumber, 20)
    .option('--after <cursor>', 'the page that follows this cursor')
    .option('--status <status>', 'queued, running, completed, failed or canceled; may be repeated', collectStatus)
    .option('-m, --model <id>', 'only those of this model')
    .option('--search <words>', 'words that the prompt must all contain')
    .option('-t, --tag <word>', 'only those with this tag')
    .action(async ({ json, first, after, status, model, search, tag, ...options }) => {
      const filter: HistoryFilter = { status, model, search, tag }
      const { history } = await withApi(context, options, 'api', (api) =>
        api.request(HistoryDocument, { first, after, filter }),
      )
      const generations = history.edges.map((edge) => edge.node)
      const { hasNextPage, endCursor } = history.pageInfo
      if (json) return context.output.json({ generations, hasNextPage, endCursor })
      if (generations.length > 0) printHistory(context.output, generations)
      else context.output.line('Nothing there. Make something: npm run generate -- "a red fox in snow"')
      if (hasNextPage) context.output.note(`There is more: --after ${endCursor}`)
    })
}

function collectStatus(text: string, before: readonly GenerationStatus[] | undefined): readonly GenerationStatus[] {
  const status = text.toUpperCase()
  if (isStatus(status)) return [...(before ?? []), status]
  throw new InvalidArgumentError(`Allowed: ${Object.keys(STATUS_STYLES).join(', ').toLowerCase()}.`)
}

function isStatus(text: string): text is GenerationStatus {
  return Object.hasOwn(STATUS_STYLES, text)
}

function printHistory(output: Output, generations: readonly Generation[]): void {
  const columns = [
    { title: 'when' },
    { title: 'status' },
    { title: 'images', align: 'right' },
    { title: 'cost', align: 'right' },
    { title: 'time', align: 'right' },
    { title: 'model' },
    { title: 'id' },
    { title: 'prompt' },
  ] as const
  const rows = generations.map(({ id, status, createdAt, images, count, cost, durationMs, model, prompt, error }) => [
    formatTime(createdAt),
    output.style(STATUS_STYLES[status], status),
    `${images.length}/${count}`,
    cost.charged ? formatMoney(cost.charged) : '–',
    durationMs === null ? '–' : formatDuration(durationMs),
    model.id,
    id,
    showable(error && status === 'FAILED' ? `${prompt} — ${error.message}` : prompt),
  ])
  const [heading = '', ...lines] = formatTable(columns, rows, output.width)
  output.line(output.style('dim', heading))
  for (const line of lines) output.line(line)
}
