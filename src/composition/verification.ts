import { createSystemClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { openDatabase } from '../store/database.ts'
import { type VerificationOptions, type VerificationReport, verify } from '../upkeep/verification.ts'
import { openStorage } from './storage.ts'

/** Holds what a server works on, or has left behind, to the invariants. Makes no database, and changes none. */
export async function verifyInstallation(
  config: Pick<Config, 'databaseUrl' | 'storage'>,
  options: Pick<VerificationOptions, 'quick' | 'onStep'>,
): Promise<VerificationReport> {
  const database = await openDatabase({ url: config.databaseUrl, migrate: false, mustExist: true })
  try {
    return await verify({ ...options, database, storage: await openStorage(config, createSystemClock()) })
  } finally {
    await database.close()
  }
}
