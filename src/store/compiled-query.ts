import type { Compilable, CompiledQuery, Kysely, Transaction } from 'kysely'
import { dialectOf } from './dialect.ts'
import type { DialectName } from './handles.ts'
import { assertParameters } from './parameters.ts'
import type { Tables } from './tables.ts'

type Value = string | number | null
type Values = Readonly<Record<string, Value>>
type Executor = Kysely<Tables> | Transaction<Tables>
type ValueOf<V> = <Name extends keyof V & string>(name: Name) => V[Name]

/**
 * A statement that is built once and then only filled in. Building one costs Kysely more than running it costs SQLite,
 * so the statements that every `generateImage` runs are kept so. `build` names each value by `value(name)` in the place
 * where it goes (`row` holds all of them, for the insert of a whole row), and must not decide anything by one.
 */
export function createCompiledQuery<V extends Values, Row>(
  build: (db: Kysely<Tables>, value: ValueOf<V>, row: V) => Compilable<Row>,
): (db: Executor, values: V) => Promise<{ readonly rows: readonly Row[]; readonly changedRows: number }> {
  const known = new Map<DialectName, Compiled<Row>>()
  return async (db, values) => {
    const dialect = dialectOf(db)
    let compiled = known.get(dialect)
    if (compiled === undefined) {
      compiled = compile(build(db, placeholderFor, placeholdersOf<V>(Object.keys(values))))
      known.set(dialect, compiled)
    }
    const { query, parts } = compiled
    const filled = { ...query, parameters: parts.map((part) => (part.name === null ? part.fixed : values[part.name])) }
    // A value that was left out is undefined here, and refused.
    assertParameters(filled)
    const { rows, numAffectedRows } = await db.executeQuery<Row>(filled)
    return { rows, changedRows: Number(numAffectedRows ?? 0n) }
  }
}

type Compiled<Row> = { readonly query: CompiledQuery<Row>; readonly parts: readonly Part[] }
type Part = { readonly name: string; readonly fixed: null } | { readonly name: null; readonly fixed: unknown }

function compile<Row>(statement: Compilable<Row>): Compiled<Row> {
  const query = statement.compile()
  return { query, parts: query.parameters.map(toPart) }
}

/** Stands where a value will go; the builder only carries it to the list of parameters. A caller's text never comes here. */
const PLACEHOLDER = '\u0001value '

function toPart(parameter: unknown): Part {
  return typeof parameter === 'string' && parameter.startsWith(PLACEHOLDER)
    ? { name: parameter.slice(PLACEHOLDER.length), fixed: null }
    : { name: null, fixed: parameter }
}

function placeholderFor<V extends Values, Name extends keyof V & string>(name: Name): V[Name] {
  return `${PLACEHOLDER}${name}` as unknown as V[Name]
}

function placeholdersOf<V extends Values>(names: readonly string[]): V {
  return Object.fromEntries(names.map((name) => [name, `${PLACEHOLDER}${name}`])) as unknown as V
}
