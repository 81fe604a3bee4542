import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

export type DialectName = 'sqlite' | 'postgres'

/** For reads outside a transaction. */
export type Db = Kysely<Tables>

/** For everything inside one. */
export type Trx = Transaction<Tables>

export type Database = {
  readonly dialect: DialectName
  /**
   * Reads outside a transaction. They see what is committed. On SQLite this is a second, read-only connection, so that
   * a read never waits behind a writer.
   */
  readonly read: Db
  /** Reads that all see one moment, however long they take; nobody waits for them, and they write nothing. */
  snapshot<T>(look: (db: Db) => Promise<T>): Promise<T>
  /**
   * One short write transaction. Resolves after the commit is durable; a rejection rolls back this work alone.
   *
   * The work does nothing but statements on `trx`, and never calls `transact` itself. It may be run again from its
   * start (a deadlock or a serialisation failure on PostgreSQL), so it must not change anything outside the database.
   * On SQLite works that wait at the same time share one commit. A work that has not settled after ten seconds is
   * rolled back and rejected with a StuckTransactionError.
   */
  transact<T>(work: (trx: Trx) => Promise<T>): Promise<T>
  /** Resolves when the database can be read and written; for readiness and doctor. */
  check(): Promise<void>
  /** Waits for the works that were taken on, refuses further ones. May be called again. */
  close(): Promise<void>
}
