import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The ways in which a text may lie in bytes without being encrypted. */
function formsOf(text: string): ReadonlyMap<string, Buffer> {
  const hex = Buffer.from(text).toString('hex')
  const forms = new Map([
    ['plain', text],
    ['hex', hex],
    ['HEX', hex.toUpperCase()],
    ['JSON', JSON.stringify(text).slice(1, -1)],
    ['URL', encodeURIComponent(text)],
  ])
  // Base64 looks different by the place at which the text begins; what hangs on its neighbours is left out.
  for (const place of [0, 1, 2]) {
    const whole = Buffer.from('x'.repeat(place) + text).toString('base64')
    const own = whole.replace(/=+$/, '').slice(place === 0 ? 0 : 4, -2)
    forms.set(`base64 at ${place}`, own)
    forms.set(
      `base64url at ${place}`,
      Buffer.from(own, 'base64')
        .toString('base64url')
        .slice(0, own.length - 2),
    )
  }
  const utf16 = Buffer.from(text, 'utf16le')
  return new Map([...[...forms].map(([name, form]) => [name, Buffer.from(form)] as const), ['UTF-16', utf16]])
}

/** How and where any of the texts is to be read; nothing where none is. */
export function findTraces(place: string, bytes: Buffer | string, texts: readonly string[]): readonly string[] {
  const searched = Buffer.from(bytes)
  return texts.flatMap((text) =>
    [...formsOf(text)].filter(([, form]) => searched.includes(form)).map(([name]) => `${text} in ${place}, ${name}`),
  )
}

/** The same in every file of a folder and below it. */
export async function findTracesInFiles(folder: string, texts: readonly string[]): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const found = await Promise.all(paths.map(async (path) => findTraces(path, await readFile(path), texts)))
  return found.flat()
}
