import type { BlobStorage } from '../../src/storage/blob-storage.ts'
import type { Database } from '../../src/store/database.ts'
import { verify } from '../../src/upkeep/verification.ts'

export type InvariantOptions = {
  /** Somebody works on it, or did and was killed: leases may have run out and not yet been taken back. */
  readonly live?: boolean
  /** Milliseconds since 1970 by the clock of whoever worked on it. */
  readonly now?: number
}

/** Throws with every rule that is broken and the ids that break it: what `pictor verify` tells of, and bytes that are not ours. */
export async function assertInvariants(
  database: Database,
  storage: BlobStorage,
  { live = false, now = Date.now() }: InvariantOptions = {},
): Promise<void> {
  const leases = live ? {} : { leasesAt: now }
  const { breaches, foreign } = await verify({ database, storage, ...leases })
  const broken = [...breaches, { rule: 'nobody else writes into the storage', ...foreign }].filter(
    ({ count }) => count > 0,
  )
  if (broken.length === 0) return
  throw new Error(`Broken:\n${broken.map(({ rule, ids }) => `- ${rule}: ${ids.join(', ')}`).join('\n')}`)
}
