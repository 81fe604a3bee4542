import { describe, expect, it } from 'vitest'
import { clip, formatTable } from '../../../src/cli/table.ts'

describe('formatTable', () => {
  it('aligns columns, coloured cells and wide letters too', () => {
    const columns = [{ title: 'id' }, { title: 'cost', align: 'right' }, { title: 'prompt' }] as const
    const rows = [
      ['\u001B[31mgen_1\u001B[39m', '0.04', 'a fox'],
      ['狐', '12.00', 'b'],
    ]
    expect(formatTable(columns, rows)).toEqual([
      'id      cost  prompt',
      '\u001B[31mgen_1\u001B[39m   0.04  a fox',
      '狐     12.00  b',
    ])
  })

  it('leaves the heading out where there are no titles', () => {
    expect(formatTable([{ title: '' }, { title: '' }], [['a', 'b']])).toEqual(['a  b'])
  })

  it('cuts the last column to the width of the terminal', () => {
    const [line] = formatTable([{ title: '' }, { title: '' }], [['gen_1', 'a red fox in deep snow']], 20)
    expect(line).toBe('gen_1  a red fox in…')
  })
})

describe('clip', () => {
  it('counts what the terminal shows, and never cuts a letter in two', () => {
    expect(clip('狐狐狐狐', 5)).toBe('狐狐…')
    expect(clip('👩‍👩‍👧 family', 4)).toBe('👩‍👩‍👧…')
    expect(clip('short', 5)).toBe('short')
  })
})
