import { createUnsendable } from './call-failures.ts'
import { isRecord, type JsonRecord } from './json-values.ts'

/**
 * What is wrong with a model's `wire` object, or with a request that it does not provide for: the key and the mend, as a
 * sentence. Readers of `wire` throw it; at the adapter's border it becomes what its caller understands.
 */
export class WireFault extends Error {
  override readonly name = 'WireFault'
}

/** For whoever reads the catalogue file: the fault, or null. */
export function faultOf(read: () => unknown): string | null {
  try {
    read()
    return null
  } catch (error) {
    if (error instanceof WireFault) return error.message
    throw error
  }
}

/** For a call, before anything of it was sent: a fault is a request that this model cannot be sent. */
export function readBeforeSending<Value>(vendor: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof WireFault)) throw error
    throw createUnsendable(`${vendor} was not asked. ${error.message}`)
  }
}

/** What stands in the way of a mistyped key being taken for one that was left out. */
export function assertKnownKeys(value: JsonRecord, known: readonly string[], path: string): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw new WireFault(`${path}.${unknown} is not known. Known are ${known.join(', ')}.`)
}

export function readRecordAt(value: unknown, path: string): JsonRecord {
  if (isRecord(value)) return value
  throw new WireFault(`${path} should be an object.`)
}

export function readTextAt(value: unknown, path: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new WireFault(`${path} should be a text.`)
}

export function readTextsAt(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '')) return value
  throw new WireFault(`${path} should be a list of texts.`)
}

export function readFlagAt(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value
  throw new WireFault(`${path} should be true or false.`)
}

/** One of a few words; undefined where the key is left out. */
export function readWordAt<const Word extends string>(
  value: unknown,
  words: readonly Word[],
  path: string,
): Word | undefined {
  if (value === undefined) return undefined
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  throw new WireFault(`${path} should be ${words.map((word) => `"${word}"`).join(' or ')}.`)
}
