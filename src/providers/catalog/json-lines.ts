/**
 * The line (from 1) on which the value at `path` stands in `text`, which must be valid JSON. Where the path ends early,
 * the line of its last part that exists.
 */
export function findJsonLine(text: string, path: readonly PropertyKey[]): number {
  const cursor: Cursor = { text, at: 0 }
  skipSpace(cursor)
  let found = cursor.at
  for (const part of path) {
    const next = typeof part === 'number' ? enterIndex(cursor, part) : enterKey(cursor, String(part))
    if (next === null) break
    found = next
  }
  return text.slice(0, found).split('\n').length
}

/**
 * The line (from 1) at which `text` stops being JSON. The parser names the place of some faults only; but a beginning
 * of the text is merely incomplete up to the fault and wrong from there on, so the place can be searched for.
 */
export function findJsonFault(text: string): number {
  let [sound, faulty] = [0, text.length + 1]
  while (faulty - sound > 1) {
    const middle = (sound + faulty) >> 1
    if (isIncomplete(text.slice(0, middle))) sound = middle
    else faulty = middle
  }
  return text.slice(0, sound).split('\n').length
}

function isIncomplete(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const position = /at position (\d+)/.exec(message)?.[1]
    return /Unexpected end|Unterminated/.test(message) || Number(position) >= beginning.length
  }
}

/** Stands at the beginning of a value between two calls. */
type Cursor = { readonly text: string; at: number }

/** Moves to the value with this key and returns the offset of the key; null when the value here has none. */
function enterKey(cursor: Cursor, key: string): number | null {
  if (cursor.text[cursor.at] !== '{') return null
  for (cursor.at++, skipSpace(cursor); cursor.text[cursor.at] !== '}'; skipSpace(cursor)) {
    const start = cursor.at
    const name = readString(cursor)
    skipSpace(cursor)
    if (name === key) return start
    skipValue(cursor)
  }
  return null
}

/** Moves to the item with this index and returns its offset; null when the value here has none. */
function enterIndex(cursor: Cursor, index: number): number | null {
  if (cursor.text[cursor.at] !== '[') return null
  let position = 0
  for (cursor.at++, skipSpace(cursor); cursor.text[cursor.at] !== ']'; skipSpace(cursor), position++) {
    if (position === index) return cursor.at
    skipValue(cursor)
  }
  return null
}

function skipSpace(cursor: Cursor): void {
  while (/[\s,:]/.test(cursor.text[cursor.at] ?? '')) cursor.at++
}

function readString(cursor: Cursor): string {
  const start = cursor.at++
  while (cursor.text[cursor.at] !== '"') cursor.at += cursor.text[cursor.at] === '\\' ? 2 : 1
  cursor.at++
  return JSON.parse(cursor.text.slice(start, cursor.at))
}

function skipValue(cursor: Cursor): void {
  let depth = 0
  do {
    const character = cursor.text[cursor.at] ?? ''
    if (character === '"') readString(cursor)
    else if (/[{}[\]]/.test(character)) {
      depth += character === '{' || character === '[' ? 1 : -1
      cursor.at++
    } else skipPlain(cursor)
    if (depth > 0) skipSpace(cursor)
  } while (depth > 0)
}

/** A number, true, false or null. */
function skipPlain(cursor: Cursor): void {
  while (cursor.at < cursor.text.length && !/[\s,:\]}]/.test(cursor.text[cursor.at] ?? '')) cursor.at++
}
