/**
 * Milliseconds from `retry-after-ms`, else from `Retry-After` as seconds or as an HTTP date; null where neither is there
 * or can be read. Not bounded: the retry policy does that.
 */
export function readRetryAfter(headers: Pick<Headers, 'get'>, now: number): number | null {
  const ms = readNumber(headers.get('retry-after-ms'))
  if (ms !== null) return Math.round(ms)
  const text = headers.get('retry-after')
  const seconds = readNumber(text)
  if (seconds !== null) return Math.round(seconds * 1000)
  // `Date.parse` would read a year out of "-5" and the like, and a date without its zone as one of this machine's.
  const at = text !== null && /(GMT|Z)$/.test(text.trim()) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}

/** Plain decimals only: `Number` would read a date's first digits nowhere, but an empty text as 0. */
function readNumber(text: string | null): number | null {
  return text !== null && /^\d{1,12}(\.\d+)?$/.test(text.trim()) ? Number(text) : null
}
