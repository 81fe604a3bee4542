/**
 * What differs between an answer and what a document shows of it; empty where nothing does. `…` in what is shown stands for
 * whatever is there, and in a list for further entries. Objects may hold more than is shown.
 */
export function differencesFrom(shown: unknown, actual: unknown, path = ''): readonly string[] {
  if (typeof shown === 'string' && shown.includes('…')) return differencesFromPattern(shown, actual, path)
  if (Array.isArray(shown)) return differencesFromList(shown, actual, path)
  if (typeof shown !== 'object' || shown === null) {
    return Object.is(shown, actual) ? [] : [`${path}: ${JSON.stringify(actual)} is not ${JSON.stringify(shown)}`]
  }
  if (typeof actual !== 'object' || actual === null) return [`${path}: ${JSON.stringify(actual)} is no object`]
  const there = new Map(Object.entries(actual))
  return Object.entries(shown).flatMap(([name, value]) => differencesFrom(value, there.get(name), `${path}.${name}`))
}

function differencesFromPattern(shown: string, actual: unknown, path: string): readonly string[] {
  if (actual === null || actual === undefined) return [`${path}: there is nothing in the place of ${shown}`]
  if (shown === '…') return []
  const pattern = shown
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('[^]*')
  return new RegExp(`^${pattern}$`).test(String(actual)) ? [] : [`${path}: ${String(actual)} is not like ${shown}`]
}

function differencesFromList(shown: readonly unknown[], actual: unknown, path: string): readonly string[] {
  if (!Array.isArray(actual)) return [`${path}: ${JSON.stringify(actual)} is no list`]
  const isOpen = shown.at(-1) === '…'
  const told = isOpen ? shown.slice(0, -1) : shown
  if (isOpen ? actual.length < told.length : actual.length !== told.length) {
    return [`${path}: there are ${actual.length} entries in the place of ${told.length}: ${JSON.stringify(actual)}`]
  }
  return told.flatMap((value, index) => differencesFrom(value, actual[index], `${path}[${index}]`))
}

/** Of what `curl -i` prints: a status line, headers, an empty line and JSON. */
export function differencesFromHttp(shown: string, actual: string): readonly string[] {
  const [told, came] = [readHttp(shown), readHttp(actual)]
  return [
    ...differencesFrom(told.status, came.status, 'status'),
    ...differencesFrom(Object.fromEntries(told.headers), Object.fromEntries(came.headers), 'headers'),
    ...differencesFrom(told.body, came.body),
  ]
}

function readHttp(text: string) {
  const [head = '', ...rest] = text.replaceAll('\r', '').split('\n\n')
  const [status = '', ...lines] = head.split('\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)] as const
  })
  return { status, headers, body: JSON.parse(rest.join('\n\n')) }
}
