/**
 * A vendor's words as every database takes them and as every screen may show them: bounded, without halves of characters,
 * and without characters that are not seen and change what is (control characters but for breaks of lines, directions of
 * writing).
 */
export function storableText(text: string | null, maxLength: number): string | null {
  return text === null ? null : text.slice(0, maxLength).replace(UNSEEN, '').toWellFormed()
}

const UNSEEN = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu
