import type { Kysely, Transaction } from 'kysely'
import { createCompiledQuery } from './compiled-query.ts'
import type { EventRow, Tables } from './tables.ts'

export type NewEvent = Omit<EventRow, 'position'>

/** Returns the position that the row was given. */
export async function insertEvent(trx: Transaction<Tables>, event: NewEvent): Promise<number> {
  const { rows } = await insertRow(trx, event)
  const [row] = rows
  if (row === undefined) throw new Error('The database did not say where it wrote an event.')
  return row.position
}

const insertRow = createCompiledQuery((db, _, row: NewEvent) =>
  db.insertInto('events').values(row).returning('position'),
)

/** In order, after `sequence`. */
export async function listEventsOfGeneration(
  db: Kysely<Tables>,
  query: { generationId: string; afterSequence: number; limit: number },
): Promise<EventRow[]> {
  return db
    .selectFrom('events')
    .selectAll()
    .where('generationId', '=', query.generationId)
    .where('sequence', '>', query.afterSequence)
    .orderBy('sequence')
    .limit(query.limit)
    .execute()
}

/** In order, after `position`; of one end user where `endUser` is not null. */
export async function listEventsOfAccount(
  db: Kysely<Tables>,
  query: { accountId: string; endUser: string | null; afterPosition: number; limit: number },
): Promise<EventRow[]> {
  let select = db
    .selectFrom('events')
    .selectAll()
    .where('accountId', '=', query.accountId)
    .where('position', '>', query.afterPosition)
  if (query.endUser !== null) select = select.where('endUser', '=', query.endUser)
  return select.orderBy('position').limit(query.limit).execute()
}

/** Of all accounts, the last `limit`, in order. */
export async function listLatestEvents(db: Kysely<Tables>, limit: number): Promise<EventRow[]> {
  const rows = await db.selectFrom('events').selectAll().orderBy('position', 'desc').limit(limit).execute()
  return rows.toReversed()
}

/** Of all accounts, in order: those after `position`, and those at one of `holes`. */
export async function listEventsAfter(
  db: Kysely<Tables>,
  query: { position: number; holes: readonly number[]; limit: number },
): Promise<EventRow[]> {
  const { position, holes, limit } = query
  return db
    .selectFrom('events')
    .selectAll()
    .where((where) =>
      holes.length === 0
        ? where('position', '>', position)
        : where.or([where('position', '>', position), where('position', 'in', holes)]),
    )
    .orderBy('position')
    .limit(limit)
    .execute()
}

/** Position of the account's latest event; 0 before the first. */
export async function findLatestPosition(db: Kysely<Tables>, accountId: string): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select('position')
    .where('accountId', '=', accountId)
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.position ?? 0
}

export async function deleteEvents(trx: Transaction<Tables>, generationId: string): Promise<void> {
  await trx.deleteFrom('events').where('generationId', '=', generationId).execute()
}
