/** Reading replies and `wire` objects tolerantly: what is not of the type is not there. */

export type JsonRecord = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function readText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function readNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** FastAPI's errors: `{detail: "text"}` or `{detail: [{loc, msg}]}`, of which the place is told without its `body`. */
export function readDetail(json: unknown): string | null {
  if (!isRecord(json)) return null
  const parts = readList(json.detail)
    .filter(isRecord)
    .map(({ loc, msg }) => [placeOf(loc), readText(msg)].filter((part) => part !== null).join(': '))
  return readText(json.detail) ?? readText(parts.join('; '))
}

function placeOf(loc: unknown): string | null {
  return readText(
    readList(loc)
      .filter((part) => part !== 'body')
      .join('.'),
  )
}
