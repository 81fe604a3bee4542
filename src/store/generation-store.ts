import type { Kysely, Transaction } from 'kysely'
import { createCompiledQuery } from './compiled-query.ts'
import { dialectOf, lockRows } from './dialect.ts'
import type { GenerationRow, GenerationStatus, Tables } from './tables.ts'

/** Whose generations: an account's, or those of one of its end users. */
export type Ownership = { readonly accountId: string; readonly endUser: string | null }

export async function insertGeneration(
  trx: Transaction<Tables>,
  generation: GenerationRow,
  tags: readonly string[],
): Promise<void> {
  await insertRow(trx, generation)
  if (tags.length === 0) return
  const { id: generationId, accountId } = generation
  await trx
    .insertInto('generationTags')
    .values(tags.map((tag) => ({ generationId, accountId, tag })))
    .execute()
}

const insertRow = createCompiledQuery((db, _, row: GenerationRow) => db.insertInto('generations').values(row))

/** Whoever's it is; for the worker and the services that have checked already. */
export async function findGeneration(db: Kysely<Tables>, id: string): Promise<GenerationRow | undefined> {
  return db.selectFrom('generations').selectAll().where('id', '=', id).executeTakeFirst()
}

/**
 * For whoever is about to change it by what it is: nobody else changes it before this transaction ends, so that what is
 * read of it (its status, its images) is still so when it is written.
 */
export async function lockGeneration(trx: Transaction<Tables>, id: string): Promise<GenerationRow | undefined> {
  return lockRows(trx.selectFrom('generations').selectAll().where('id', '=', id), dialectOf(trx)).executeTakeFirst()
}

/** In no order; what is deleted or somebody else's is left out. */
export async function findOwnGenerations(
  db: Kysely<Tables>,
  owner: Ownership,
  ids: readonly string[],
): Promise<GenerationRow[]> {
  if (ids.length === 0) return []
  let select = db
    .selectFrom('generations')
    .selectAll()
    .where('id', 'in', ids)
    .where('accountId', '=', owner.accountId)
    .where('deletedAt', 'is', null)
  if (owner.endUser !== null) select = select.where('endUser', '=', owner.endUser)
  return select.execute()
}

/**
 * The one way in which a generation changes: only from `from` and, for a worker, only under its fence. Undefined when
 * somebody else was faster; the caller then drops what it was about to do.
 */
export async function updateGeneration(
  trx: Transaction<Tables>,
  where: { id: string; from: readonly GenerationStatus[]; attemptToken?: string },
  values: Partial<Omit<GenerationRow, 'id' | 'accountId'>>,
): Promise<GenerationRow | undefined> {
  let update = trx
    .updateTable('generations')
    .set((eb) => ({ ...values, sequence: eb('sequence', '+', 1) }))
    .where('id', '=', where.id)
    .where('status', 'in', where.from)
  if (where.attemptToken !== undefined) update = update.where('attemptToken', '=', where.attemptToken)
  return update.returningAll().executeTakeFirst()
}

/** Hands the fence of a running generation to a new holder without a transition. */
export async function refenceGeneration(trx: Transaction<Tables>, id: string, attemptToken: string): Promise<boolean> {
  const result = await trx
    .updateTable('generations')
    .set({ attemptToken })
    .where('id', '=', id)
    .where('status', '=', 'RUNNING')
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** One more image under the fence; undefined when the fence is lost. */
export async function countImage(
  trx: Transaction<Tables>,
  id: string,
  attemptToken: string,
): Promise<Pick<GenerationRow, 'sequence' | 'accountId' | 'endUser' | 'webhookUrl'> | undefined> {
  return trx
    .updateTable('generations')
    .set((eb) => ({ sequence: eb('sequence', '+', 1), imageCount: eb('imageCount', '+', 1) }))
    .where('id', '=', id)
    .where('attemptToken', '=', attemptToken)
    .where('status', '=', 'RUNNING')
    .returning(['sequence', 'accountId', 'endUser', 'webhookUrl'])
    .executeTakeFirst()
}

/** Those that wait or run past their deadline, the longest overdue first. */
export async function listOverdueGenerations(db: Kysely<Tables>, now: number, limit: number): Promise<GenerationRow[]> {
  return db
    .selectFrom('generations')
    .selectAll()
    .where('finishedAt', 'is', null)
    .where('deadlineAt', '<=', now)
    .orderBy('deadlineAt')
    .limit(limit)
    .execute()
}

/** Those that wait or run, in order of making. */
export async function listUnfinishedGenerations(db: Kysely<Tables>, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('generations')
    .select('id')
    .where('finishedAt', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id)
}

/** Those that ended at that moment or before it and have not been deleted, the longest ended first. */
export async function listLongEnded(db: Kysely<Tables>, endedBy: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('generations')
    .select('id')
    .where('finishedAt', '<=', endedBy)
    .where('deletedAt', 'is', null)
    .orderBy('finishedAt')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id)
}

/** Takes away all that the client wrote or got, and keeps what the ledger and the reports need. */
export async function blankGeneration(trx: Transaction<Tables>, id: string, deletedAt: number): Promise<void> {
  await trx
    .updateTable('generations')
    .set({
      deletedAt,
      prompt: '',
      negativePrompt: null,
      request: '{}',
      inputs: '[]',
      parameters: '{}',
      warnings: '[]',
      problems: '[]',
      error: null,
      tags: '[]',
      metadata: null,
      webhookUrl: null,
    })
    .where('id', '=', id)
    .execute()
  await trx.deleteFrom('generationTags').where('generationId', '=', id).execute()
  await trx.updateTable('attempts').set({ problem: null, reference: null }).where('generationId', '=', id).execute()
}
