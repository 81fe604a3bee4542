/** One attack as it was run. `title` begins with its number: `A37 100 at once with credit for one: one is accepted`. */
export type AttackResult = { readonly title: string; readonly state: 'pass' | 'FAIL' | 'skip' }

const NUMBERED = /^A(\d+):?\s+(.*)$/s

/** A line for each, by number, and in the order given where the number is the same or there is none. */
export function toAttackLines(results: readonly AttackResult[]): readonly string[] {
  return results
    .map(({ title, state }) => {
      const [, number, text = title] = NUMBERED.exec(title) ?? []
      return { place: number === undefined ? Number.POSITIVE_INFINITY : Number(number), number, text, state }
    })
    .toSorted((a, b) => (a.place === b.place ? 0 : a.place - b.place))
    .map(({ number, text, state }) => `${(number ? `A${number}` : '').padEnd(5)}${state}  ${text}`)
}
