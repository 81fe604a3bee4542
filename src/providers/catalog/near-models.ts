import { distance } from 'fastest-levenshtein'
import type { Model } from '../model.ts'

const LIMIT = 5

/** Ids of models that the caller may have meant, best first. Retired models are left out. */
export function findNearModels(models: readonly Model[], asked: string): readonly string[] {
  const text = asked.toLowerCase()
  return models
    .filter((model) => model.lifecycle.state !== 'RETIRED')
    .map((model) => ({ id: model.id, rank: rankNames(namesOf(model), text) }))
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, LIMIT)
    .map(({ id }) => id)
}

/** The words of `known` that are close to `asked`, best first. */
export function findNearWords(known: readonly string[], asked: string): readonly string[] {
  return known
    .map((word) => ({ word, rank: rankName(word.toLowerCase(), asked.toLowerCase()) }))
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, LIMIT)
    .map(({ word }) => word)
}

function namesOf(model: Model): readonly string[] {
  const bare = model.id.slice(model.provider.length + 1)
  return [model.id, bare, ...model.aliases.map((alias) => alias.name)].map((name) => name.toLowerCase())
}

function rankNames(names: readonly string[], text: string): number {
  return Math.min(...names.map((name) => rankName(name, text)))
}

/** Lower is nearer, infinity is unrelated. A third of the letters may be wrong; a part of a name ranks behind a typo. */
function rankName(name: string, text: string): number {
  const wrongLetters = distance(name, text)
  if (wrongLetters <= Math.max(1, Math.floor(Math.min(name.length, text.length) / 3))) return wrongLetters
  const shorter = Math.min(name.length, text.length)
  if (shorter >= 3 && (name.includes(text) || text.includes(name))) return 100 + wrongLetters
  return Number.POSITIVE_INFINITY
}
