import type { Compilable, CompiledQuery, Kysely, Transaction } from 'kysely'
import { dialectOf } from './dialect.ts'
import { assertParameters } from './parameters.ts'
import type { Tables } from './tables.ts'

type Value = string | number | null
type Values = Readonly<Record<string, Value>>
type Executor = Kysely<Tables> | Transaction<Tables>
type ValueOf<V> = <Name extends keyof V & string>(name: Name) => V[Name]

/**
 * A statement that is built once and then only filled in. Building one costs Kysely more than running it costs SQLite,
 * so the statements that every `generateImage` runs are kept so. `build` names each value by `value(name)` in the place
 * where it goes (`row` holds all of them, for an insert), and must not decide anything by one.
 */
export function createCompiledQuery<V extends Values, Row>(
  build: (db: Kysely<Tables>, value: ValueOf<V>, row: V) => Compilable<Row>,
): (db: Executor, values: V) => Promise<{ readonly rows: readonly Row[]; readonly changedRows: number }> {
  const compiled = new Map<string, CompiledQuery<Row>>()
  return async (db, values) => {
    // The columns of an insert are those that its values have, and rows of one table may leave some out.
    const key = `${dialectOf(db)} ${Object.keys(values).join()}`
    const query = compiled.get(key) ?? build(db, placeholderFor, placeholdersOf<V>(Object.keys(values))).compile()
    compiled.set(key, query)
    const parameters = query.parameters.map((part) => fill(part, values))
    const filled = { ...query, parameters }
    assertParameters(filled)
    const { rows, numAffectedRows } = await db.executeQuery<Row>(filled)
    return { rows, changedRows: Number(numAffectedRows ?? 0n) }
  }
}

/** Stands where a value will go; the builder only carries it to the list of parameters. No column holds a NUL. */
const PLACEHOLDER = '\u0000value '

function placeholderFor<V extends Values, Name extends keyof V & string>(name: Name): V[Name] {
  return `${PLACEHOLDER}${name}` as unknown as V[Name]
}

/** All values at once, for an insert of a whole row. */
function placeholdersOf<V extends Values>(names: readonly string[]): V {
  return Object.fromEntries(names.map((name) => [name, `${PLACEHOLDER}${name}`])) as unknown as V
}

function fill(part: unknown, values: Values): unknown {
  return typeof part === 'string' && part.startsWith(PLACEHOLDER) ? values[part.slice(PLACEHOLDER.length)] : part
}
