import type { JsonRecord } from './json-values.ts'

/** A field of a request where it has a value, to be spread into the others; null: the vendor decides. */
export function given(name: string, value: unknown): JsonRecord {
  return value === null ? {} : { [name]: value }
}
