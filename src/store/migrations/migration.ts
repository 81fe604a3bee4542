import type { DialectName, Trx } from '../handles.ts'

/** One step of the schema. Once released it never changes: databases remember it by its name. */
export type Migration = {
  /** Four digits and a few words, e.g. `0002-webhooks`; the order is the order of the list. */
  readonly name: string
  /** Runs in one transaction together with the row that remembers it. Statements on `trx` only. */
  up(trx: Trx, dialect: DialectName): Promise<void>
}
