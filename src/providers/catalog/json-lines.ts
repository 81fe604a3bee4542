/**
 * The line (from 1) on which the value at `path` stands in `text`, which must be valid JSON. Where the path ends early,
 * the line of its last part that exists.
 */
export function findJsonLine(text: string, path: readonly PropertyKey[]): number {
  const scanner = createScanner(text)
  scanner.skipSpace()
  let found = scanner.offset()
  for (const part of path) {
    const next = typeof part === 'number' ? scanner.enterIndex(part) : scanner.enterKey(String(part))
    if (next === null) break
    found = next
  }
  return text.slice(0, found).split('\n').length
}

/**
 * The line (from 1) at which `text` stops being JSON. The parser names the place of some faults only; but a beginning of
 * the text is merely incomplete up to the fault and wrong from there on, so the place can be searched for.
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

type Scanner = {
  offset(): number
  skipSpace(): void
  /** Moves to the value with this key and returns the offset of the key; null when the value here has none. */
  enterKey(key: string): number | null
  /** Moves to the item with this index and returns its offset; null when the value here has none. */
  enterIndex(index: number): number | null
}

function createScanner(text: string): Scanner {
  let at = 0
  const skipSpace = () => {
    while (/[\s,:]/.test(text[at] ?? '')) at++
  }
  const readString = () => {
    const start = at++
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    at++
    return JSON.parse(text.slice(start, at)) as string
  }
  const skipValue = () => {
    if (text[at] === '"') readString()
    else if (text[at] === '{' || text[at] === '[') skipNested()
    else while (at < text.length && !/[\s,\]}]/.test(text[at] ?? '')) at++
  }
  const skipNested = () => {
    let depth = 0
    do {
      if (text[at] === '"') readString()
      else {
        if (text[at] === '{' || text[at] === '[') depth++
        if (text[at] === '}' || text[at] === ']') depth--
        at++
      }
    } while (depth > 0)
  }
  return {
    offset: () => at,
    skipSpace,
    enterKey: (key) => {
      if (text[at] !== '{') return null
      for (at++, skipSpace(); text[at] !== '}'; skipSpace()) {
        const start = at
        const name = readString()
        skipSpace()
        if (name === key) return start
        skipValue()
      }
      return null
    },
    enterIndex: (index) => {
      if (text[at] !== '[') return null
      let position = 0
      for (at++, skipSpace(); text[at] !== ']'; skipSpace(), position++) {
        if (position === index) return at
        skipValue()
      }
      return null
    },
  }
}
