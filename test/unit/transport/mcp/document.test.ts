import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CostSchema, GenerationSchema } from '../../../../src/transport/mcp/results/generation-result.ts'
import { ImageSchema } from '../../../../src/transport/mcp/results/image-result.ts'
import { DetailsSchema, ModelSchema } from '../../../../src/transport/mcp/results/model-result.ts'
import { MoneySchema } from '../../../../src/transport/mcp/results/money-result.ts'
import { ProblemSchema } from '../../../../src/transport/mcp/results/problem-result.ts'
import { WarningSchema } from '../../../../src/transport/mcp/results/warning-result.ts'
import { estimateCost } from '../../../../src/transport/mcp/tools/estimate-cost.ts'
import { generateImage } from '../../../../src/transport/mcp/tools/generate-image.ts'
import { TOOLS } from '../../../../src/transport/mcp/tools.ts'
import { listArgumentRows, listFieldRows, readRows } from '../../../support/mcp-document.ts'

const text = readFileSync(join(import.meta.dirname, '../../../../docs/mcp.md'), 'utf8')

describe('docs/mcp.md', () => {
  it.each(TOOLS.filter((tool) => tool !== estimateCost).map((tool) => ({ name: tool.name, tool })))(
    'tells the arguments and results of $name as its schemas do',
    ({ name, tool }) => {
      expect(readRows(text, `### ${name}`)).toEqual([...listArgumentRows(tool), ...listFieldRows(tool.output)])
    },
  )

  it('tells that an estimate takes what a generation takes, but for its last three arguments', () => {
    expect(listArgumentRows(estimateCost)).toEqual(listArgumentRows(generateImage).slice(0, -3))
    expect(readRows(text, '### estimate_cost')).toEqual(listFieldRows(estimateCost.output))
  })

  it.each([
    ['A generation', GenerationSchema],
    ['Its cost', CostSchema],
    ['An image', ImageSchema],
    ['A problem', ProblemSchema],
    ['A warning', WarningSchema],
    ['A model', ModelSchema],
    ['Its details', DetailsSchema],
    ['Money', MoneySchema],
  ])('tells what stands in a result: %s', (heading, schema) => {
    expect(readRows(text, `### ${heading}`)).toEqual(listFieldRows(schema))
  })

  it('says something of every argument and field', () => {
    const rows = TOOLS.flatMap((tool) => [...listArgumentRows(tool), ...listFieldRows(tool.output)])
    expect(rows.filter((row) => row.endsWith('|  |'))).toEqual([])
  })
})
