import type { Model } from '../model.ts'
import type { ListedModel } from '../provider.ts'

/**
 * LISTED and GONE: as the catalogue says. MISSING: the vendor does not list it. UNRETIRED: retired in the catalogue, and listed.
 * MOVED: another day of retirement. NEW: listed, a model of pictures by its name, and not in the catalogue.
 */
export type CatalogFinding = {
  readonly model: string
  readonly state: 'LISTED' | 'GONE' | 'MISSING' | 'UNRETIRED' | 'MOVED' | 'NEW'
  readonly detail: string
}

/** The catalogue's models of one provider beside what the vendor lists itself. */
export function compareCatalog(
  models: readonly Model[],
  listed: readonly ListedModel[],
  now: number,
): readonly CatalogFinding[] {
  const byName = new Map(listed.map((model) => [model.name, model]))
  // Vendors list dated versions beside the plain name.
  const known = new Set(
    models.flatMap(({ providerModel, aliases }) => [providerModel, ...aliases.map(({ name }) => name)]),
  )
  const own = models.map((model) => compareModel(model, byName.get(model.providerModel), now))
  const others = listed.filter(({ name }) => !known.has(name) && /image|banana|flux|diffusion|dream/i.test(name))
  return [...own, ...others.map(({ name }): CatalogFinding => ({ model: name, state: 'NEW', detail: NEW_MEND }))]
}

const NEW_MEND = 'the vendor lists it and the catalogue does not; PICTOR_CATALOG can add it'

function compareModel(model: Model, listed: ListedModel | undefined, now: number): CatalogFinding {
  const { state, retiresAt } = model.lifecycle
  const isGone = state === 'RETIRED' || (retiresAt !== null && retiresAt <= now)
  if (!listed) {
    return isGone
      ? { model: model.id, state: 'GONE', detail: 'retired, and not listed any more' }
      : { model: model.id, state: 'MISSING', detail: 'the vendor does not list it: requests may fail' }
  }
  if (isGone) return { model: model.id, state: 'UNRETIRED', detail: 'retired here, and the vendor still lists it' }
  const { shutsDownAt } = listed
  if (shutsDownAt !== null && dayOf(shutsDownAt) !== (retiresAt === null ? null : dayOf(retiresAt))) {
    const ours = retiresAt === null ? 'no day' : dayOf(retiresAt)
    return { model: model.id, state: 'MOVED', detail: `shuts down on ${dayOf(shutsDownAt)}; the catalogue has ${ours}` }
  }
  return { model: model.id, state: 'LISTED', detail: shutsDownAt === null ? '' : `until ${dayOf(shutsDownAt)}` }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
