/** A vendor's words as every database takes them: without NUL, and without halves of characters. */
export function storableText(text: string | null): string | null {
  return text === null ? null : text.replaceAll('\0', '').toWellFormed()
}
