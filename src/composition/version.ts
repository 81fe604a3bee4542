import { readFileSync } from 'node:fs'

const PACKAGE = new URL('../../package.json', import.meta.url)

export function readVersion(): string {
  const contents: unknown = JSON.parse(readFileSync(PACKAGE, 'utf8'))
  return contents instanceof Object && 'version' in contents ? String(contents.version) : 'unknown'
}
