import type { BlobStorage } from '../storage/blob-storage.ts'
import type { Database } from '../store/database.ts'
import { findDamage } from '../store/database-health.ts'
import { type Breaches, findBreaches, INVARIANT_RULES, livingLeases } from '../store/invariant-store.ts'
import { findLostBlobs } from './lost-blobs.ts'
import { countStrays } from './stray-blobs.ts'

/** A rule that does not hold. `count` is all that breaks it, `ids` the first of them. */
export type Breach = Breaches & { readonly rule: string }

export type VerificationReport = {
  readonly breaches: readonly Breach[]
  /** What was looked at. */
  readonly checked: { readonly rules: number; readonly recordedBlobs: number; readonly storedBlobs: number }
  /** No fault: what crashes left, which the sweep takes away, and what somebody else has put into the storage. */
  readonly leftOver: Breaches
  readonly foreign: Breaches
}

export type VerificationOptions = {
  readonly database: Database
  readonly storage: BlobStorage
  /** Sizes of bytes, and not their digests; nor each page of a SQLite file. */
  readonly quick?: boolean
  /** How many ids of each rule are told. */
  readonly maxIds?: number
  /** Milliseconds since 1970: leases have to be alive then. Left out where a server was killed, or may have been. */
  readonly leasesAt?: number
  /** After each step, for whoever waits. */
  readonly onStep?: (step: string) => void
}

const MAX_IDS = 20

/**
 * Holds a database and its storage to what must always be true of them, also while a server works on both. The rows are
 * looked at as they are at one moment; bytes and rows are then compared page by page, and what is missed is looked up once
 * more: a picture that was deleted meanwhile is no fault. Reads only, and keeps nothing but what it reports.
 */
export async function verify(options: VerificationOptions): Promise<VerificationReport> {
  const { database, storage, quick = false, maxIds = MAX_IDS, leasesAt, onStep = () => undefined } = options
  const rules = leasesAt === undefined ? INVARIANT_RULES : [...INVARIANT_RULES, livingLeases(leasesAt)]
  onStep('rows')
  const damage = await findDamage(database.read, { quick })
  const broken = await database.snapshot(async (moment) => {
    const found: Breach[] = []
    for (const rule of rules) found.push({ rule: rule.rule, ...(await findBreaches(moment, rule, maxIds)) })
    return found
  })
  onStep('recorded bytes')
  const lost = await findLostBlobs({ database, storage, quick, maxIds })
  onStep('stored bytes')
  const strays = await countStrays({ database, storage, maxIds })
  const breaches = [
    { rule: 'the file of the database is sound', count: damage.length, ids: damage },
    ...broken,
    ...lost.breaches,
    { rule: 'bytes belong to a row or are doomed', ...strays.ownerless },
  ]
  return {
    breaches: breaches.filter(({ count }) => count > 0),
    checked: { rules: rules.length, recordedBlobs: lost.checked, storedBlobs: strays.checked },
    leftOver: strays.leftOver,
    foreign: strays.foreign,
  }
}
