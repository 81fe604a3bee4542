/** The database cannot be used as it is; the message says why and what mends it. Thrown while opening, nothing else. */
export class DatabaseRefusedError extends Error {
  override readonly name: string = 'DatabaseRefusedError'
}

/** Another server process works on it. */
export class DatabaseInUseError extends DatabaseRefusedError {
  override readonly name = 'DatabaseInUseError'
}

/** A bug: a work given to `transact` did not settle in time. It was rolled back and its `trx` is dead. */
export class StuckTransactionError extends Error {
  override readonly name = 'StuckTransactionError'
  constructor(limitMs: number) {
    super(
      `A database transaction did not settle within ${limitMs} ms and was rolled back. This is a bug: a transaction ` +
        'awaits nothing but its own statements, and never another transaction.',
    )
  }
}
