import type { Kysely, Transaction } from 'kysely'
import type { AttemptRow, Tables } from './tables.ts'

export async function insertAttempt(trx: Transaction<Tables>, attempt: AttemptRow): Promise<void> {
  await trx.insertInto('attempts').values(attempt).execute()
}

export async function findLatestAttempt(db: Kysely<Tables>, generationId: string): Promise<AttemptRow | undefined> {
  return db
    .selectFrom('attempts')
    .selectAll()
    .where('generationId', '=', generationId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** By generation, each in order of number. */
export async function listAttempts(db: Kysely<Tables>, generationIds: readonly string[]): Promise<AttemptRow[]> {
  if (generationIds.length === 0) return []
  return db
    .selectFrom('attempts')
    .selectAll()
    .where('generationId', 'in', generationIds)
    .orderBy('generationId')
    .orderBy('number')
    .execute()
}

export async function findAttempt(db: Kysely<Tables>, id: string): Promise<AttemptRow | undefined> {
  return db.selectFrom('attempts').selectAll().where('id', '=', id).executeTakeFirst()
}

/**
 * A worker's note on its own attempt. False when the fence no longer matches: the attempt belongs to somebody else or
 * has ended, and whoever wrote must stop.
 */
export async function updateOwnAttempt(
  trx: Transaction<Tables>,
  owner: { attemptId: string; generationId: string; attemptToken: string },
  values: Partial<Pick<AttemptRow, 'phase' | 'reference'>>,
): Promise<boolean> {
  const result = await trx
    .updateTable('attempts')
    .set(values)
    .where('id', '=', owner.attemptId)
    .where('outcome', 'is', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('generations')
          .select('id')
          .where('id', '=', owner.generationId)
          .where('attemptToken', '=', owner.attemptToken),
      ),
    )
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Ends an attempt that has not ended. False when it had. */
export async function endAttempt(
  trx: Transaction<Tables>,
  attemptId: string,
  values: Pick<AttemptRow, 'outcome' | 'problem' | 'finishedAt'> &
    Partial<Pick<AttemptRow, 'phase' | 'providerRequestId'>>,
): Promise<boolean> {
  const result = await trx
    .updateTable('attempts')
    .set(values)
    .where('id', '=', attemptId)
    .where('outcome', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}
