import { ModelsDocument, type ModelsQuery } from '../../schema/generated/operations.ts'
import { createApiCommand } from './command.ts'
import { withApi } from './connection.ts'
import type { CommandContext } from './context.ts'
import type { Output } from './output.ts'
import { formatTable } from './table.ts'
import { formatDuration, formatMoney, showable } from './wording.ts'

type Model = ModelsQuery['models'][number]

const UNITS: Readonly<Partial<Record<Model['prices'][number]['unit'], string>>> = {
  IMAGE: 'an image',
  MEGAPIXEL: 'a megapixel',
  FIRST_MEGAPIXEL: 'the first megapixel',
  MILLION_IMAGE_OUTPUT_TOKENS: 'a million tokens',
}

export function createModelsCommand(context: CommandContext) {
  return createApiCommand(context, {
    name: 'models',
    summary: 'List the models that this server knows, with price, speed and availability',
    examples: ['models', 'models flux --available'],
  })
    .argument('[search]', 'only those with this in id, name, alias or description')
    .option('--available', 'only those that can be used right now')
    .option('-p, --provider <id>', 'only those of this provider')
    .action(async (search, { json, available, provider, ...options }) => {
      const filter = { search, provider, ...(available ? { available } : {}) }
      const { models } = await withApi(context, options, 'api', (api) => api.request(ModelsDocument, { filter }))
      if (json) context.output.json({ models })
      else if (models.length === 0) context.output.line('No model is like that.')
      else printModels(context.output, models)
    })
}

function printModels(output: Output, models: readonly Model[]): void {
  const columns = [
    { title: 'model' },
    { title: 'price' },
    { title: 'usual time' },
    { title: 'most' },
    { title: 'what it is' },
  ]
  const rows = models.map((model) => [
    model.available ? model.id : output.style('dim', model.id),
    priceOf(model),
    model.latencyMs ? formatDuration(model.latencyMs.p50) : '–',
    `${model.capabilities.maxCount}`,
    model.available ? showable(model.description ?? model.name) : showable(model.unavailableReason ?? 'not available'),
  ])
  const [heading = '', ...lines] = formatTable(columns, rows, output.width)
  output.line(output.style('dim', heading))
  for (const line of lines) output.line(line)
  const usable = models.filter((model) => model.available).length
  output.line(output.style('dim', `${models.length} models, ${usable} can be used right now`))
}

/** The least that it may cost, by the unit that its vendor counts. */
function priceOf({ prices }: Model): string {
  // What comes on top, such as further megapixels, is no price to begin with.
  const basic = prices.filter(({ unit }) => unit in UNITS)
  const [cheapest] = (basic.length > 0 ? basic : prices).toSorted(
    (one, other) => Number(one.amount.amount) - Number(other.amount.amount),
  )
  if (!cheapest) return 'unknown'
  const unit = UNITS[cheapest.unit] ?? cheapest.unit.toLowerCase().replaceAll('_', ' ')
  return `${prices.length > 1 ? 'from ' : ''}${formatMoney(cheapest.amount)} ${unit}`
}
