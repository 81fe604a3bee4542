import { join } from 'node:path'
import { createLocalStorage } from '../../src/storage/local-storage.ts'
import { openDatabase } from '../../src/store/database.ts'
import { assertInvariants, type InvariantOptions } from './invariants.ts'

/** Holds what a server has left behind, which no longer runs, to the invariants. */
export async function assertInvariantsOf(dataDir: string, options: InvariantOptions = {}): Promise<void> {
  const database = await openDatabase({ url: `sqlite:${join(dataDir, 'pictor.db')}`, exclusive: true })
  try {
    await assertInvariants(database, createLocalStorage({ directory: join(dataDir, 'images') }), options)
  } finally {
    await database.close()
  }
}
