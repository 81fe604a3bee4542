import { distance } from 'fastest-levenshtein'

const LIMIT = 5

/** The words of `known` that are close to `asked`, best first. */
export function findNearWords(known: readonly string[], asked: string): readonly string[] {
  return known
    .map((word) => ({ word, rank: rankName(word.toLowerCase(), asked.toLowerCase()) }))
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, LIMIT)
    .map(({ word }) => word)
}

/** Lower is nearer, infinity is unrelated. A third of the letters may be wrong; a part of a name ranks behind a typo. */
export function rankName(name: string, text: string): number {
  const wrongLetters = distance(name, text)
  if (wrongLetters <= Math.max(1, Math.floor(Math.min(name.length, text.length) / 3))) return wrongLetters
  const shorter = Math.min(name.length, text.length)
  if (shorter >= 3 && (name.includes(text) || text.includes(name))) return 100 + wrongLetters
  return Number.POSITIVE_INFINITY
}
