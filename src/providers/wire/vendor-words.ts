const MAX_LENGTH = 500

/**
 * The vendor's own words behind ours: short, on one line, and closed like a sentence; '' where there are none. They are
 * shown to callers, so an adapter leaves out what may quote a key.
 */
export function quoteVendor(words: string | null | undefined): string {
  const text = (words ?? '').replace(/\s+/g, ' ').trim()
  if (text === '') return ''
  const short = text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH).toWellFormed()}…`
  return ` It says: ${short}${/[.!?…]$/.test(short) ? '' : '.'}`
}
