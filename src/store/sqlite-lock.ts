import SqliteConnection from 'better-sqlite3'
import { createPrivateFile, explainUnwritable, isBusy } from './sqlite-file.ts'
import { DatabaseInUseError } from './store-errors.ts'

/**
 * Held by the one server process that works on a SQLite database; gives back what releases it. The lock is the
 * operating system's, on a file beside the database, and goes with the process however that ends. A lock on the
 * database itself would shut the command line tools out. The file stays: removing it would let two others each lock
 * another one of the same name.
 */
export function lockDatabaseFile(path: string): () => void {
  createPrivateFile(`${path}.lock`)
  const lock = new SqliteConnection(`${path}.lock`, { timeout: 0 })
  try {
    lock.exec('begin exclusive')
  } catch (cause) {
    lock.close()
    if (!isBusy(cause)) throw explainUnwritable(path, cause)
    throw new DatabaseInUseError(
      `Another Pictor server is using ${path}: it holds ${path}.lock. Stop that one, give this one a data directory of ` +
        'its own, or use PostgreSQL for several servers.',
      { cause },
    )
  }
  return () => lock.close()
}
