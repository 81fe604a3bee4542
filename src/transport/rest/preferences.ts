/** What a caller prefers by RFC 7240. */
export type Preference = {
  /** `respond-async`: rather an answer now than the pictures. */
  readonly isAsync: boolean
  /** `wait=10`: how long to wait for the end first; null: not said. */
  readonly waitMs: number | null
}

const LONGEST_SECONDS = 9

/** What cannot be read is no preference: the RFC asks to pass over it. */
export function readPreference(header: string | null): Preference {
  const words = (header ?? '').split(',').map((word) => word.split(';')[0]?.trim().toLowerCase() ?? '')
  const [, seconds] = words.map((word) => /^wait\s*=\s*"?(\d+)"?$/.exec(word)).find((match) => match !== null) ?? []
  const isRead = seconds !== undefined && seconds.length <= LONGEST_SECONDS
  return { isAsync: words.includes('respond-async'), waitMs: isRead ? Number(seconds) * 1000 : null }
}

/** `Preference-Applied`, or null where nothing was preferred. */
export function appliedPreference({ isAsync, waitMs }: Preference): string | null {
  const words = [...(isAsync ? ['respond-async'] : []), ...(waitMs === null ? [] : [`wait=${waitMs / 1000}`])]
  return words.length === 0 ? null : words.join(', ')
}
