import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** A block that can be run, and what the document says that comes of it: the block after it. */
export type DocumentStep = {
  readonly language: 'sh' | 'graphql' | 'ts'
  readonly text: string
  readonly answer: { readonly language: 'http' | 'json' | 'text'; readonly text: string }
}

/** What stands below a heading that is a number. */
export type DocumentRequest = {
  readonly number: string
  readonly text: string
  readonly steps: readonly DocumentStep[]
}

/** A row of a table that has a column for each door, and the numbers of the requests that show it. */
export type DocumentRow = {
  readonly name: string
  readonly here: string
  readonly requests: readonly string[]
}

/** A document whose tables refer to numbered requests. Throws where a block that can be run has no answer behind it. */
export function readRequests(path: string): {
  readonly requests: readonly DocumentRequest[]
  readonly rows: readonly DocumentRow[]
} {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const [tables = '', ...sections] = text.split(/^### (?=\d+$)/m)
  return { requests: sections.map(readRequest), rows: readRows(tables) }
}

function readRequest(section: string): DocumentRequest {
  const [number = ''] = section.split('\n')
  const blocks = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
  const steps: DocumentStep[] = []
  for (const [index, [, language, text = '']] of blocks.entries()) {
    if (language !== 'sh' && language !== 'graphql' && language !== 'ts') continue
    const [, kind, answer = ''] = blocks[index + 1] ?? []
    if (kind !== 'http' && kind !== 'json' && kind !== 'text') throw new Error(`${number}: "${text}" has no answer.`)
    steps.push({ language, text, answer: { language: kind, text: answer } })
  }
  return { number, text: section, steps }
}

/** Without the head of a table and the line under it. */
function readRows(tables: string): readonly DocumentRow[] {
  return [...tables.matchAll(/^\| (.*) \|$/gm)]
    .map(([, line = '']) => line.split(' | '))
    .filter(([first = '']) => first !== 'there' && !first.startsWith('---'))
    .map(([name = '', ...cells]) => ({
      name,
      here: cells.slice(0, -1).join(' '),
      requests: [...(cells.at(-1) ?? '').matchAll(/\[\d+\]\(#(\d+)\)/g)].map(([, number = '']) => number),
    }))
}
