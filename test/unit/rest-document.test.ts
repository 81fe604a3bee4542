import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ENDPOINTS } from '../../src/transport/rest/endpoints.ts'
import { readImageRequest } from '../../src/transport/rest/generation-fields.ts'

const text = readFileSync(join(import.meta.dirname, '../../docs/rest.md'), 'utf8')

/** The names in the first column of the table below a heading. */
function namesBelow(heading: string): readonly string[] {
  const [, section = ''] = text.split(`\n## ${heading}\n`)
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell)
  return rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}

/** Every name that is looked up. */
class Asked extends Map<string, unknown> {
  readonly names = new Set<string>()
  override get(name: string): unknown {
    this.names.add(name)
    return name === 'prompt' ? 'a fox' : undefined
  }
}

describe('docs/rest.md', () => {
  it('lists every call with its scopes', () => {
    expect(namesBelow('Calls').filter((name) => name.includes('/'))).toEqual(
      expect.arrayContaining(ENDPOINTS.map(({ name }) => name)),
    )
    for (const { name, scopes } of ENDPOINTS) {
      expect(text).toContain(`| \`${name}\` | ${scopes.map((scope) => `\`${scope}\``).join(' or ')} |`)
    }
  })

  it('lists every parameter of a request, and no other', () => {
    const values = new Asked()
    readImageRequest({ values, isText: false, digest: '' }, 'generations', null)
    const read = [...values.names].filter(
      (name) => !['frame_count', 'frame_duration_ms', 'svg', 'markup'].includes(name),
    )
    expect([...namesBelow('What to make')].toSorted()).toEqual(read.toSorted())
  })
})
