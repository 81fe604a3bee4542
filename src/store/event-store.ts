import type { Kysely, Transaction } from 'kysely'
import type { EventRow, NewEventRow, Tables } from './tables.ts'

/** Returns the position that the row was given. */
export async function insertEvent(trx: Transaction<Tables>, event: NewEventRow): Promise<number> {
  const row = await trx.insertInto('events').values(event).returning('position').executeTakeFirstOrThrow()
  return row.position
}

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
