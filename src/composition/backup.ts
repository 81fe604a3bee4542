import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { SECRET_FILE } from '../identity/server-secret.ts'
import { openDatabase } from '../store/database.ts'
import { copySqliteFile } from '../store/sqlite-copy.ts'
import { type BackupResult, backUp } from '../upkeep/backup.ts'
import { BackupError } from '../upkeep/backup-folder.ts'
import { type RestoreResult, restore } from '../upkeep/restore.ts'
import { createRecovery, type RecoveryTools } from './recovery.ts'
import { openStorage } from './storage.ts'

export type BackupTools = RecoveryTools & { readonly pictorVersion: string; readonly onStep: (step: string) => void }

/** A copy of everything that a server needs, into a folder, also while it runs. Rejects with a BackupError. */
export async function backUpInstallation(
  config: Config,
  folder: string,
  { pictorVersion, onStep, ...tools }: BackupTools,
): Promise<BackupResult> {
  const path = sqlitePathOf(config)
  const place = resolve(folder)
  for (const taken of [config.dataDir, imagesDirectoryOf(config)]) {
    if (taken !== null && `${place}/`.startsWith(`${taken}/`))
      throw new BackupError(`${place} lies within ${taken}. Name a folder outside of it.`)
  }
  const database = await openDatabase({ url: config.databaseUrl, migrate: false, mustExist: true })
  try {
    return await backUp({
      folder: place,
      database,
      storage: await openStorage(config, tools.clock),
      copyDatabase: (target) => copySqliteFile(path, target),
      openCopy: (copy) => openDatabase({ url: `sqlite:${copy}`, migrate: false, mustExist: true }),
      forget: (copy, blob) => createRecovery(config, copy, tools).forget(blob),
      secretFile: await findSecretFile(config),
      pictorVersion,
      now: tools.clock.now(),
      onStep,
    })
  } finally {
    await database.close()
  }
}

/** Rejects with a BackupError, and has written nothing, where the backup is damaged or the place is taken. */
export async function restoreInstallation(
  config: Config,
  folder: string,
  { resume, onStep, ...tools }: RecoveryTools & { resume: boolean; onStep: (step: string) => void },
): Promise<RestoreResult> {
  const databasePath = sqlitePathOf(config)
  const images = await openStorage(config, tools.clock)
  const target = { dataDir: config.dataDir, databasePath, images, imagesDirectory: imagesDirectoryOf(config) }
  return restore({
    folder: resolve(folder),
    target,
    onStep,
    async settle(path, { createdAt }) {
      const database = await openDatabase({ url: `sqlite:${path}`, exclusive: true, mustExist: true })
      try {
        return resume ? 0 : await createRecovery(config, database, tools).endUnfinished(Date.parse(createdAt))
      } finally {
        await database.close()
      }
    },
  })
}

/** What `restore` does with generations that had not ended, for a database that was restored by other means. */
export async function endUnfinished(config: Config, tools: RecoveryTools): Promise<number> {
  const database = await openDatabase({ url: config.databaseUrl, exclusive: true, mustExist: true })
  try {
    return await createRecovery(config, database, tools).endUnfinished(null)
  } finally {
    await database.close()
  }
}

function sqlitePathOf({ databaseUrl }: Config): string {
  const path = databaseUrl.startsWith('sqlite:') ? databaseUrl.slice('sqlite:'.length).trim() : ''
  if (path !== '' && path !== ':memory:') return resolve(path)
  throw new BackupError(
    databaseUrl.startsWith('sqlite:')
      ? 'A database in memory cannot be copied.'
      : 'This is for SQLite. For PostgreSQL use its own tools: first pg_dump, then a copy of the folder or bucket ' +
          'that STORAGE_URL names, in this order, since bytes are stored before their row. Restore both before the server is started, and run ' +
          '`pictor restore --in-place`. docs/upkeep.md tells it step by step.',
  )
}

/** null: they lie in a bucket. */
function imagesDirectoryOf({ storage }: Config): string | null {
  return storage.kind === 'file' ? storage.directory : null
}

/** null: the secret comes from the environment, or was never needed. */
async function findSecretFile({ secret, dataDir }: Config): Promise<string | null> {
  if (secret !== null) return null
  const path = join(dataDir, SECRET_FILE)
  return stat(path).then(
    () => path,
    () => null,
  )
}
