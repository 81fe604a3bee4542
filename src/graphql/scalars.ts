import { GraphQLError, Kind } from 'graphql'
import type { JsonValue } from '../generation/given-input.ts'
import type { UploadedFile } from '../references/uploads.ts'
import { Secret } from '../secret.ts'
import type { Builder } from './builder.ts'

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/
const DECIMAL = /^-?\d{1,15}(?:\.\d{1,18})?$/
const MULTIPART_SPEC = 'https://github.com/jaydenseric/graphql-multipart-request-spec'

/**
 * What each takes, with an example. The transport puts it into its errors in the place of what GraphQL would say, which
 * repeats the value: it may be a secret that a client put into the wrong place.
 */
const FORMS = {
  DateTime: 'A DateTime is RFC 3339 text, such as "2026-11-22T08:00:00.000Z".',
  Decimal: 'A Decimal is a decimal number as a string, such as "0.04".',
  SafeInt: 'A SafeInt is an integer from −9007199254740991 to 9007199254740991, such as 42.',
  URL: 'A URL is an absolute address that begins with https:// or http://, such as "https://example.com/fox.png".',
  File: `A File comes as a part of a multipart request over HTTP: ${MULTIPART_SPEC}`,
  Secret: 'A Secret is text, such as "sk-…", and best sent in a variable.',
} as const

export function registerScalars(builder: Builder): void {
  registerValues(builder)
  registerInputs(builder)
}

function registerValues(builder: Builder): void {
  builder.scalarType('DateTime', {
    extensions: { form: FORMS.DateTime },
    description:
      'RFC 3339 time in UTC with milliseconds: "2026-11-22T08:00:00.000Z". Any offset is understood as input.',
    specifiedByURL: 'https://datatracker.ietf.org/doc/html/rfc3339',
    serialize: (ms) => new Date(ms).toISOString(),
    parseValue: readDateTime,
  })
  builder.scalarType('Decimal', {
    extensions: { form: FORMS.Decimal },
    description: 'A decimal number as a string, never a float: "0.040000".',
    serialize: (text) => text,
    parseValue: readDecimal,
  })
  builder.scalarType('SafeInt', {
    extensions: { form: FORMS.SafeInt },
    description: 'An integer from −(2^53 − 1) to 2^53 − 1: seeds go past 32 bits.',
    serialize: readSafeInt,
    parseValue: readSafeInt,
  })
  builder.scalarType('URL', {
    extensions: { form: FORMS.URL },
    description: 'An absolute http(s) URL.',
    serialize: (text) => text,
    parseValue: readUrl,
  })
  builder.scalarType('JSON', {
    description: 'Any JSON value.',
    serialize: (value) => value,
    // A null never comes this far.
    parseValue: (value) => value as JsonValue,
  })
}

/** Taken and never given. */
function registerInputs(builder: Builder): void {
  builder.scalarType('File', {
    extensions: { form: FORMS.File },
    description: `A file of a multipart request (${MULTIPART_SPEC}). It comes over HTTP alone, and as a variable.`,
    specifiedByURL: MULTIPART_SPEC,
    serialize: () => {
      throw new GraphQLError('A File is taken and never given.')
    },
    parseValue: readFile,
  })
  builder.scalarType('Secret', {
    extensions: { form: FORMS.Secret },
    description:
      'Write-only text: taken as input, never returned, logged or echoed in an error. Send it in a variable.',
    serialize: () => {
      throw new GraphQLError('A Secret is never given out.')
    },
    parseValue: readSecret,
    // A word without quotes would pass for text.
    parseLiteral: (node) => readSecret(node.kind === Kind.STRING ? node.value : null),
  })
}

export function readDateTime(value: unknown): number {
  const ms = typeof value === 'string' && RFC_3339.test(value) && isOnCalendar(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(ms)) throw new GraphQLError(FORMS.DateTime)
  return ms
}

/** `Date.parse` turns 30 February into 2 March. */
function isOnCalendar(text: string): boolean {
  const date = text.slice(0, 10)
  const ms = Date.parse(`${date}T00:00:00.000Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date)
}

export function readDecimal(value: unknown): string {
  if (typeof value === 'string' && DECIMAL.test(value)) return value
  throw new GraphQLError(FORMS.Decimal)
}

export function readSafeInt(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new GraphQLError(FORMS.SafeInt)
}

export function readFile(value: unknown): UploadedFile {
  if (isFile(value)) return value
  throw new GraphQLError(FORMS.File)
}

/** The server's own class or the platform's: what matters is that there are bytes. */
function isFile(value: unknown): value is UploadedFile {
  if (typeof value !== 'object' || value === null) return false
  return (
    'size' in value &&
    typeof value.size === 'number' &&
    'arrayBuffer' in value &&
    typeof value.arrayBuffer === 'function'
  )
}

export function readSecret(value: unknown): Secret {
  if (typeof value === 'string') return new Secret(value)
  throw new GraphQLError(FORMS.Secret)
}

export function readUrl(value: unknown): string {
  // The parser would leave line breaks out, and lead elsewhere than what is read.
  const url = typeof value === 'string' && !/\p{Cc}/u.test(value) ? URL.parse(value) : null
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url.href
  throw new GraphQLError(FORMS.URL)
}
