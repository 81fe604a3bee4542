import type { Kysely, SelectQueryBuilder } from 'kysely'
import { sql } from 'kysely'
import type { Ownership } from './generation-store.ts'
import type { GenerationRow, GenerationStatus, Tables } from './tables.ts'

export type HistoryWhere = {
  readonly status: readonly GenerationStatus[] | null
  readonly model: string | null
  readonly provider: string | null
  readonly tag: string | null
  readonly endUser: string | null
  /** This moment or later. */
  readonly createdAfter: number | null
  /** Before this moment. */
  readonly createdBefore: number | null
  readonly search: string | null
}

type Generations<O> = SelectQueryBuilder<Tables, 'generations', O>

/** Ids sort by time of making, so the id is the key of the keyset: as fast at a million rows as at ten. */
export async function listHistory(
  db: Kysely<Tables>,
  owner: Ownership,
  where: HistoryWhere,
  page: { order: 'newest' | 'oldest'; olderThan: string | null; newerThan: string | null; limit: number },
): Promise<GenerationRow[]> {
  let select = filtered(db.selectFrom('generations').selectAll(), owner, where)
  if (page.olderThan !== null) select = select.where('id', '<', page.olderThan)
  if (page.newerThan !== null) select = select.where('id', '>', page.newerThan)
  return select
    .orderBy('id', page.order === 'newest' ? 'desc' : 'asc')
    .limit(page.limit)
    .execute()
}

export async function countHistory(db: Kysely<Tables>, owner: Ownership, where: HistoryWhere): Promise<number> {
  const row = await filtered(
    db.selectFrom('generations').select((eb) => eb.fn.countAll<number>().as('total')),
    owner,
    where,
  ).executeTakeFirstOrThrow()
  return Number(row.total)
}

function filtered<O>(select: Generations<O>, owner: Ownership, where: HistoryWhere): Generations<O> {
  let query = select.where('accountId', '=', owner.accountId).where('deletedAt', 'is', null)
  if (owner.endUser !== null) query = query.where('endUser', '=', owner.endUser)
  if (where.endUser !== null) query = query.where('endUser', '=', where.endUser)
  if (where.status !== null) query = query.where(hasStatus(where.status))
  if (where.model !== null) query = query.where('model', '=', where.model)
  if (where.provider !== null) query = query.where('provider', '=', where.provider)
  if (where.createdAfter !== null) query = query.where('createdAt', '>=', where.createdAfter)
  if (where.createdBefore !== null) query = query.where('createdAt', '<', where.createdBefore)
  const { tag } = where
  if (tag !== null) {
    query = query.where((eb) =>
      eb(
        'id',
        'in',
        eb
          .selectFrom('generationTags')
          .select('generationId')
          .where('accountId', '=', owner.accountId)
          .where('tag', '=', tag),
      ),
    )
  }
  for (const word of words(where.search)) query = query.where(promptHas(word))
  return query
}

function words(search: string | null): string[] {
  return (search ?? '').split(/\s+/).filter((word) => word !== '')
}

/** `in ()` is not SQL everywhere: of no status there is nothing. */
function hasStatus(statuses: readonly GenerationStatus[]) {
  if (statuses.length === 0) return sql<boolean>`1 = 0`
  return sql<boolean>`${sql.ref('status')} in (${sql.join(statuses)})`
}

/** Both sides are folded by the database, since SQLite folds ASCII alone: what is spelled the same is found anywhere. */
function promptHas(word: string) {
  const pattern = `%${word.replaceAll(/[\\%_]/g, (special) => `\\${special}`)}%`
  return sql<boolean>`lower(${sql.ref('prompt')}) like lower(${pattern}) escape '\\'`
}
