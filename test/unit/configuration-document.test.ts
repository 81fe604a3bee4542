import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'

const ROOT = join(import.meta.dirname, '../..')
const source = readFileSync(join(ROOT, 'src/config.ts'), 'utf8')
const [settings = ''] = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8').split('\n## ')
const rows = [...settings.matchAll(/^\| `([A-Z_]+)` \| (.*?) \| /gm)].map(([, name, given]) => ({ name, given }))

describe('docs/configuration.md', () => {
  it('lists the variables that the server reads, all of them and in the same order', () => {
    const read = [...source.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name]) => name)
    expect(read.length).toBeGreaterThan(20)
    expect(rows.map(({ name }) => name)).toEqual(read)
  })

  it('names defaults that change nothing when they are set', () => {
    const plain = rows.flatMap(({ name, given }) => {
      const [, value] = /^`([^`<]+)`$/.exec(given ?? '') ?? []
      return value === undefined ? [] : [[name, value]]
    })
    expect(plain.length).toBeGreaterThan(15)
    expect(readConfig(Object.fromEntries(plain))).toEqual(readConfig({}))
  })
})
