import { rankName } from '../../near-words.ts'
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

function namesOf(model: Model): readonly string[] {
  const bare = model.id.slice(model.provider.length + 1)
  return [model.id, bare, ...model.aliases.map((alias) => alias.name)].map((name) => name.toLowerCase())
}

function rankNames(names: readonly string[], text: string): number {
  return Math.min(...names.map((name) => rankName(name, text)))
}
