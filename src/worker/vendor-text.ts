/** A vendor's words as every database takes them: bounded, without NUL, and without halves of characters. */
export function storableText(text: string | null, maxLength: number): string | null {
  return text === null ? null : text.slice(0, maxLength).replaceAll('\0', '').toWellFormed()
}
