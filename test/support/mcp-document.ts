import { z } from 'zod'
import type { Tool } from '../../src/transport/mcp/tool.ts'

type Property = { readonly description?: string; readonly default?: unknown }

/** The rows by which docs/mcp.md tells the arguments of a tool. */
export function listArgumentRows({ input }: Pick<Tool, 'input'>): readonly string[] {
  const { properties = {}, required = [] } = z.toJSONSchema(input, { io: 'input' })
  return Object.entries(properties).map(([name, property]) => {
    const { description = '', default: fallback } = property as Property
    const need = required.includes(name) ? 'required' : fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``
    return `| \`${name}\` | ${need} | ${description} |`
  })
}

/** The rows by which it tells the fields of a result or of a part of one. */
export function listFieldRows(schema: z.ZodObject): readonly string[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'output' })
  return Object.entries(properties).map(
    ([name, property]) => `| \`${name}\` | ${(property as Property).description ?? ''} |`,
  )
}

/** The rows of the tables under a heading, up to the next heading. */
export function readRows(text: string, heading: string): readonly string[] {
  const [, section = ''] = text.split(`\n${heading}\n`)
  const [own = ''] = section.split(/\n#+ /)
  return own.split('\n').filter((line) => line.startsWith('| `'))
}
