/** An attack or a fault as it was run. `title` begins with its number: `A37 100 at once with credit for one: one is accepted`. */
export type EntryResult = {
  readonly title: string
  readonly state: 'pass' | 'FAIL' | 'skip'
  /** What it has counted. */
  readonly figures?: string | undefined
}

const NUMBERED = /^([AF])(\d+)\s+(.*)$/s

/** A line for each, by number, and in the order given where the number is the same or there is none. */
export function toEntryLines(results: readonly EntryResult[]): readonly string[] {
  return results
    .map(({ title, state, figures }) => {
      const [, letter = '', number = '', text = title] = NUMBERED.exec(title) ?? []
      const place = number === '' ? Number.POSITIVE_INFINITY : Number(number)
      return { place, name: letter + number, text: figures === undefined ? text : `${text} (${figures})`, state }
    })
    .toSorted((a, b) => (a.place === b.place ? 0 : a.place - b.place))
    .map(({ name, text, state }) => `${name.padEnd(5)}${state}  ${text}`)
}
