/** What a vendor calls an exchange, for its support. */
export function requestIdOf(headers: Headers): string | null {
  return headers.get('x-request-id')
}

/** Of all exchanges of a call, each once; null where none of them had any. */
export function joinRequestIds(ids: readonly (string | null)[]): string | null {
  const told = new Set(ids.filter((id) => id !== null))
  return told.size === 0 ? null : [...told].join(' ')
}
