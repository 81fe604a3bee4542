import type { z } from 'zod'
import { type FieldProblem, InvalidInputError } from '../../errors.ts'
import { findNearWords } from '../../near-words.ts'

/** Arguments as the tool's schema has them. InvalidInput that names every argument at fault, unknown ones too. */
export function readArguments<Schema extends z.ZodObject>(schema: Schema, args: unknown): z.output<Schema> {
  const read = schema.safeParse(args ?? {}, { error: explainType })
  if (read.success) return read.data
  const known = Object.keys(schema.shape)
  const fields = read.error.issues.flatMap((issue) => describeIssue(issue, known))
  throw new InvalidInputError(fields.slice(0, MAX_FAULTS))
}

/** More of them help nobody, and would make a long answer of a long mistake. */
const MAX_FAULTS = 20
const MAX_NAME = 100

const TYPES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** undefined: in the library's own words. The value is not repeated: it may be long, and is known to whoever sent it. */
function explainType(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'too_big') return `It must be at most ${issue.maximum}${unitOf(issue.origin)}.`
  if (issue.code === 'too_small') return `It must be at least ${issue.minimum}${unitOf(issue.origin)}.`
  if (issue.code === 'invalid_value') return 'It must be one of the values that are allowed.'
  if (issue.code !== 'invalid_type') return undefined
  if (issue.input === undefined) return 'It has to be given.'
  return `It must be ${TYPES[issue.expected] ?? issue.expected}.`
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters long' : ''
}

function describeIssue(issue: z.core.$ZodIssue, known: readonly string[]): readonly FieldProblem[] {
  const path = issue.path.map(String).join('.')
  if (issue.code !== 'unrecognized_keys') {
    const allowed = issue.code === 'invalid_value' ? issue.values.map(String) : []
    return [{ path: path || 'arguments', message: closed(issue.message), allowed }]
  }
  return issue.keys.slice(0, MAX_FAULTS).map((key, index) => ({
    path: `${path === '' ? '' : `${path}.`}${key.slice(0, MAX_NAME).toWellFormed()}`,
    message: 'There is no such argument.',
    allowed: path === '' ? nearOrAll(known, key, index) : [],
  }))
}

/** Names that may have been meant; where none is near, the first fault of that kind lists them all. */
function nearOrAll(known: readonly string[], key: string, index: number): readonly string[] {
  const near = findNearWords(known, key.slice(0, MAX_NAME))
  return near.length > 0 || index > 0 ? near : known
}

function closed(sentence: string): string {
  return sentence.endsWith('.') ? sentence : `${sentence}.`
}
