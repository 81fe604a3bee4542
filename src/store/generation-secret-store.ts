import { createCompiledQuery } from './compiled-query.ts'
import type { Db, Trx } from './handles.ts'
import type { GenerationSecretRow } from './tables.ts'

export async function insertGenerationSecret(trx: Trx, secret: GenerationSecretRow): Promise<void> {
  await trx.insertInto('generationSecrets').values(secret).execute()
}

export async function findGenerationSecret(db: Db, generationId: string): Promise<GenerationSecretRow | undefined> {
  return db.selectFrom('generationSecrets').selectAll().where('generationId', '=', generationId).executeTakeFirst()
}

/** Nothing to do where it brought none, which is nearly always. */
export async function deleteGenerationSecret(trx: Trx, generationId: string): Promise<void> {
  await deleteOne(trx, { generationId })
}

const deleteOne = createCompiledQuery<{ generationId: string }, unknown>((db, value) =>
  db.deleteFrom('generationSecrets').where('generationId', '=', value('generationId')),
)

/** Of every generation that has not ended. */
export async function listGenerationSecrets(db: Db): Promise<GenerationSecretRow[]> {
  return db.selectFrom('generationSecrets').selectAll().orderBy('generationId').execute()
}

/** The same key, sealed anew. False when the generation has ended meanwhile. */
export async function resealGenerationSecret(
  trx: Trx,
  secret: GenerationSecretRow,
  ciphertext: string,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('generationSecrets')
    .set({ ciphertext })
    .where('generationId', '=', secret.generationId)
    .where('ciphertext', '=', secret.ciphertext)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
