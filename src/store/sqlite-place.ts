import { statSync } from 'node:fs'
import SqliteConnection from 'better-sqlite3'

/**
 * Makes a check that throws once the file is no longer at its path: SQLite goes on writing to a file that was deleted or
 * moved, and the next start would know nothing of it. With SQLite's own code for that, which it gives outside of WAL only.
 */
export function createPlaceCheck(path: string): () => void {
  const opened = look(path)
  return () => {
    const now = look(path)
    if (now !== undefined && now.ino === opened?.ino && now.dev === opened.dev) return
    throw new SqliteConnection.SqliteError(
      `${path} was deleted or moved while it was in use. Nothing is written until it is back in its place.`,
      'SQLITE_READONLY_DBMOVED',
    )
  }
}

function look(path: string) {
  return statSync(path, { throwIfNoEntry: false, bigint: true })
}
