/** Of SQLite: locked by somebody else for too long, no space left, a disk that does not do what it is told. */
const SQLITE = /^SQLITE_(BUSY|FULL|IOERR|CANTOPEN|READONLY)/
/**
 * Classes and codes of PostgreSQL: connection lost, out of resources, shut down or starting, not to be brought into one
 * order with others, a standby that takes no writes.
 */
const POSTGRES = /^(08|53|57P0|40001|40P01|25006)/
const SYSTEM = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])
/** What `pg` says itself, without a code. */
const LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/

/** Whether it is the place of the data that failed, for now: the same request may do later, and nothing is wrong with it. */
export function isPassingFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (SQLITE.test(code) || POSTGRES.test(code) || SYSTEM.has(code)) return true
  return LOST.test(error.message) || isPassingFault(error.cause)
}
