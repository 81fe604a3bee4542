import { stripVTControlCharacters } from 'node:util'

export type Column = {
  /** '' for a table without headings. */
  readonly title: string
  readonly align?: 'left' | 'right'
}

const GAP = '  '

/**
 * Lines of a table. Cells may be coloured. `width` cuts the last column, which is the one to hold free text; empty
 * titles throughout leave the heading out.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  const headed = columns.some((column) => column.title !== '')
  const lines = headed ? [columns.map((column) => column.title), ...rows] : rows
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => widthOf(cells[index] ?? ''))))
  const before = widths.slice(0, -1).reduce((sum, next) => sum + next + GAP.length, 0)
  return lines.map((cells) =>
    columns
      .map(({ align = 'left' }, index) => {
        const cell = cells[index] ?? ''
        if (index === columns.length - 1 && align === 'left') return clip(cell, Math.max(8, width - before))
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)))
        return align === 'right' ? padding + cell : cell + padding
      })
      .join(GAP)
      .trimEnd(),
  )
}

/** At most `width` columns wide, with `…` for what is left out. Coloured text is left as it is. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width || text !== stripVTControlCharacters(text)) return text
  const kept: string[] = []
  let used = 1
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += columnsOf(segment)
    if (used > width) break
    kept.push(segment)
  }
  return `${kept.join('').trimEnd()}…`
}

function widthOf(text: string): number {
  const plain = stripVTControlCharacters(text)
  if (/^[\x20-\x7E]*$/.test(plain)) return plain.length
  return [...new Intl.Segmenter().segment(plain)].reduce((sum, { segment }) => sum + columnsOf(segment), 0)
}

/** Terminals show East Asian letters and pictographs two columns wide. */
function columnsOf(segment: string): number {
  return /\p{Extended_Pictographic}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/u.test(
    segment,
  )
    ? 2
    : 1
}
