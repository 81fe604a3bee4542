import { describe, expect, it } from 'vitest'
import { listBreakingChanges, readUnreleasedNames } from '../../../scripts/schema-changes.ts'

const BEFORE = `
  type Query { image(id: ID!): Image  count: Int! }
  type Image { id: ID!  width: Int! }
  enum Fit { COVER INSIDE }
  input Size { width: Int  fit: Fit }
`

async function pathsBroken(replace: string, by: string): Promise<string[]> {
  return (await listBreakingChanges(BEFORE, BEFORE.replace(replace, by))).map(({ path }) => path)
}

describe('a change of the schema', () => {
  it.each([
    ['a field that goes', 'width: Int!', '', 'Image.width'],
    ['a field that may become null', 'count: Int!', 'count: Int', 'Query.count'],
    ['another type of a field', 'width: Int! }', 'width: Float! }', 'Image.width'],
    ['a new required argument', 'id: ID!)', 'id: ID!, fit: Fit!)', 'Query.image.fit'],
    ['an enum value that goes', 'COVER ', '', 'Fit.COVER'],
    ['an input field that becomes required', 'width: Int ', 'width: Int! ', 'Size.width'],
  ])('breaks clients: %s', async (_what, replace, by, path) => {
    expect(await pathsBroken(replace, by)).toEqual([path])
  })

  it.each([
    ['a new field', 'width: Int! }', 'width: Int!  height: Int! }'],
    ['a new optional argument', 'id: ID!)', 'id: ID!, fit: Fit)'],
    ['a description', 'type Image', '"A picture." type Image'],
    ['a field that is never null any more', 'image(id: ID!): Image', 'image(id: ID!): Image!'],
  ])('breaks nobody: %s', async (_what, replace, by) => {
    expect(await pathsBroken(replace, by)).toEqual([])
  })
})

describe('the changelog', () => {
  it('names what stands in backticks under Unreleased alone', () => {
    const changelog = [
      '# Changelog',
      '## [Unreleased]',
      '- `Image.width` is gone; ask for `Image.size`.',
      '### Fixed',
      '- Typos in Image.alt.',
      '## [0.1.0] - 2026-01-01',
      '- `Image.height` is gone.',
    ].join('\n')
    expect([...readUnreleasedNames(changelog)]).toEqual(['Image.width', 'Image.size'])
  })

  it('may end with Unreleased, or have none', () => {
    expect([...readUnreleasedNames('## Unreleased\n\n- `A.b`\n- `C`')]).toEqual(['A.b', 'C'])
    expect([...readUnreleasedNames('# Changelog\n\n- `A.b`\n')]).toEqual([])
  })
})
