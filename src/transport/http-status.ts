/** By code, where an answer has no data at all. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  NOT_ACCEPTABLE: 406,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
}

export type ErrorHttp = { readonly status: number; readonly headers: Readonly<Record<string, string>> }

export function statusOf(code: string): number {
  return STATUS_BY_CODE[code] ?? 400
}

/** Status of a code, with `Retry-After` where the failure says how long to wait. */
export function httpOf(code: string, { retryAfterMs }: Readonly<Record<string, unknown>>): ErrorHttp {
  const retryAfter = typeof retryAfterMs === 'number' ? String(Math.max(1, Math.ceil(retryAfterMs / 1000))) : null
  return { status: statusOf(code), headers: retryAfter === null ? {} : { 'retry-after': retryAfter } }
}
