import type { JsonValue as GivenJson } from '../../generation/given-input.ts'
import { findNearWords } from '../../near-words.ts'
import { type FieldFault, MalformedRequestError } from './malformed-request.ts'

/** What came, by name. In forms and addresses everything is text, and what came several times is a list. */
export type RawFields = { readonly values: ReadonlyMap<string, unknown>; readonly isText: boolean }

/** A body, with a digest that is the same for the same fields: a form has another boundary each time that it is sent. */
export type BodyFields = RawFields & { readonly digest: string }

/**
 * Reads the fields of one call. null: not given. Faults are gathered, and `finish` throws them together with every field
 * that nobody has asked for.
 */
export type Fields = {
  has(name: string): boolean
  /** As it came. */
  raw(name: string): unknown
  text(name: string): string | null
  integer(name: string): number | null
  number(name: string): number | null
  flag(name: string): boolean | null
  /** Decimal text; a number of JSON is taken as it is written. */
  decimal(name: string): string | null
  /** Of words in lower case, whatever their case. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | null
  texts(name: string): readonly string[] | null
  object(name: string): Readonly<Record<string, unknown>> | null
  /** Any value; in text, JSON or the text itself. */
  json(name: string): GivenJson | null
  fault(fault: FieldFault): null
  /** MalformedRequestError. */
  finish(): void
}

type Reading<Value> = { readonly value: Value } | { readonly expected: string }

export function openFields({ values, isText }: RawFields): Fields {
  const known = new Set<string>()
  const faults: FieldFault[] = []

  function raw(name: string): unknown {
    known.add(name)
    return values.get(name) ?? null
  }

  function fault(given: FieldFault): null {
    faults.push(given)
    return null
  }

  function read<Value>(name: string, reading: (value: unknown) => Reading<Value>): Value | null {
    const value = raw(name)
    if (value === null) return null
    const result = reading(value)
    if ('value' in result) return result.value
    const message = isText && Array.isArray(value) ? 'It is given more than once.' : `It must be ${result.expected}.`
    return fault({ param: name, message, code: 'invalid_type', allowed: [] })
  }

  return {
    has: (name) => raw(name) !== null,
    raw,
    fault,
    text: (name) => read(name, readText),
    integer: (name) => read(name, (value) => readInteger(isText ? toNumber(value) : value)),
    number: (name) => read(name, (value) => readNumber(isText ? toNumber(value) : value)),
    flag: (name) => read(name, (value) => readFlag(isText ? toFlag(value) : value)),
    decimal: (name) => read(name, readDecimal),
    texts: (name) => read(name, (value) => readTexts(isText ? toList(value) : value)),
    object: (name) => read(name, (value) => readObject(isText ? toJson(value) : value)),
    json: (name) => read(name, (value) => readJson(isText ? toJson(value) : value)),
    choice(name, words) {
      const text = read(name, readText)
      const word = words.find((each) => each === text?.toLowerCase())
      if (text === null || word !== undefined) return word ?? null
      return fault({ param: name, message: `It is one of ${words.join(', ')}.`, code: 'invalid_value', allowed: words })
    },
    finish() {
      const unknown = [...values.keys()]
        .filter((name) => !known.has(name))
        .map((name) => unknownField(name, [...known]))
      if (faults.length + unknown.length > 0) throw new MalformedRequestError([...unknown, ...faults])
    },
  }
}

const LONGEST_ECHO = 64

function unknownField(name: string, known: readonly string[]): FieldFault {
  const param = name.length > LONGEST_ECHO ? `${name.slice(0, LONGEST_ECHO)}…` : name
  const near = findNearWords(known, param)
  const mend = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''
  return { param, message: `There is no such parameter.${mend}`, code: 'unknown_parameter', allowed: near }
}

function readText(value: unknown): Reading<string> {
  return typeof value === 'string' ? { value } : { expected: 'text' }
}

function readInteger(value: unknown): Reading<number> {
  return typeof value === 'number' && Number.isSafeInteger(value) ? { value } : { expected: 'a whole number' }
}

function readNumber(value: unknown): Reading<number> {
  return typeof value === 'number' && Number.isFinite(value) ? { value } : { expected: 'a number' }
}

function readFlag(value: unknown): Reading<boolean> {
  return typeof value === 'boolean' ? { value } : { expected: 'true or false' }
}

function readDecimal(value: unknown): Reading<string> {
  if (typeof value === 'string') return { value }
  return typeof value === 'number' ? { value: String(value) } : { expected: 'a decimal such as "0.25"' }
}

function readTexts(value: unknown): Reading<readonly string[]> {
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string')
  return isList ? { value } : { expected: 'a list of texts' }
}

function readObject(value: unknown): Reading<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { expected: 'an object' }
  return { value: Object.fromEntries(Object.entries(value)) }
}

function readJson(value: unknown): Reading<GivenJson> {
  const isGiven = typeof value === 'object' ? value !== null : ['string', 'number', 'boolean'].includes(typeof value)
  return isGiven ? { value: value as GivenJson } : { expected: 'a value of JSON' }
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
}

function toFlag(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value
}

function toList(value: unknown): unknown {
  return typeof value === 'string' ? [value] : value
}

function toJson(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
