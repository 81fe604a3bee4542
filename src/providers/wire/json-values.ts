/** Reading replies and `wire` objects tolerantly: what is not of the type is not there. */

export type JsonRecord = Readonly<Record<string, unknown>>

/** A list is none. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function readRecord(value: unknown): JsonRecord | null {
  return isRecord(value) ? value : null
}

/** Those of its items that are objects; none where it is no list. */
export function readRecords(value: unknown): readonly JsonRecord[] {
  return readList(value).filter(isRecord)
}

export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** null where it is none, or empty. */
export function readText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function readNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** FastAPI's errors: `{detail: "text"}` or `{detail: [{loc, msg}]}`, of which the place is told without its `body`. */
export function readDetail(json: unknown): string | null {
  const detail = readRecord(json)?.detail
  const parts = readRecords(detail).map(({ loc, msg }) =>
    [placeOf(loc), readText(msg)].filter((part) => part !== null).join(': '),
  )
  return readText(detail) ?? readText(parts.join('; '))
}

function placeOf(loc: unknown): string | null {
  return readText(
    readList(loc)
      .filter((part) => part !== 'body')
      .join('.'),
  )
}
