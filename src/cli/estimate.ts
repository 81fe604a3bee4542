import { EstimateCostDocument, type EstimateCostQuery } from '../../schema/generated/operations.ts'
import { withApi } from './connection.ts'
import type { CommandContext } from './context.ts'
import type { Output } from './output.ts'
import { explainRefusal } from './refusals.ts'
import { createRequestCommand, readRequest } from './request-options.ts'
import { formatTable } from './table.ts'
import { formatMoney, formatMoneyRange, formatTime } from './wording.ts'

type Estimate = Extract<EstimateCostQuery['estimateCost'], { readonly __typename: 'CostEstimate' }>

/** What `generate` with the same words would cost. Nothing is held and nothing is called. */
export function createEstimateCommand(context: CommandContext) {
  return createRequestCommand(context, {
    name: 'estimate',
    summary: 'Say what a request would cost, line by line, and make nothing',
    examples: ['estimate a red fox in snow --count 4 --size 1024x1024'],
  }).action(async (words, options) => {
    const input = readRequest(words, options)
    const { estimateCost: result } = await withApi(context, options, 'api', (api) =>
      api.request(EstimateCostDocument, { input }),
    )
    if (result.__typename !== 'CostEstimate') throw explainRefusal(result)
    if (options.json) context.output.json({ estimate: result })
    else printEstimate(context.output, result)
  })
}

function printEstimate(output: Output, estimate: Estimate): void {
  const { model, parameters, lines, warnings, total, balance, affordable, priceAsOf, priceSource } = estimate
  const { ownKey, providerPrice } = estimate
  const { width, height, aspectRatio, quality, outputFormat } = parameters
  const size = width !== null && height !== null ? `${width}×${height}` : aspectRatio
  const facts = [size, quality, outputFormat].filter((fact) => fact !== null)
  output.line(`${output.style('bold', model.id)}  ${facts.join(', ')}`)
  for (const line of formatTable(
    [{ title: '' }, { title: '', align: 'right' }, { title: '' }, { title: '', align: 'right' }],
    [
      ...lines.map((line) => [
        line.label,
        trimDecimal(line.quantity),
        `× ${formatMoney(line.unitPrice)}`,
        formatMoney(line.total),
      ]),
      ['total', '', '', output.style('bold', formatMoneyRange(total))],
      ['balance', '', '', formatMoney(balance)],
    ],
  )) {
    output.line(`  ${line}`)
  }
  if (affordable === false) output.line(output.style('red', 'The balance or a limit does not allow it.'))
  if (ownKey) {
    const price = providerPrice === null ? 'at a price that is not known here' : formatMoneyRange(providerPrice)
    output.line(`A key of your own pays, and no credits. The provider bills its owner: ${price}.`)
  }
  if (total === null) output.line(output.style('yellow', 'The price of this model is not known to this server.'))
  for (const { message } of warnings) output.line(`${output.style('yellow', 'note')}: ${message}`)
  if (priceAsOf !== null) {
    output.line(output.style('dim', `Prices as of ${formatTime(priceAsOf).slice(0, 10)}: ${priceSource ?? 'catalog'}`))
  }
}

function trimDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
