import { describe, expect, it } from 'vitest'
import { toEntryLines } from '../../../scripts/entry-lines.ts'

describe('the lines of the attacks', () => {
  it('stand by number, one each, with what became of it', () => {
    const lines = toEntryLines([
      { title: 'A37 100 at once with credit for one: one is accepted', state: 'pass' },
      { title: 'A104 something that no list has', state: 'skip' },
      { title: 'A4 what is somebody else’s', state: 'FAIL' },
    ])
    expect(lines).toEqual([
      'A4   FAIL  what is somebody else’s',
      'A37  pass  100 at once with credit for one: one is accepted',
      'A104 skip  something that no list has',
    ])
  })

  it('keep the order of what has the same number, and put last what has none', () => {
    const lines = toEntryLines([
      { title: 'without a number', state: 'pass' },
      { title: 'A9 second', state: 'pass' },
      { title: 'A9 first', state: 'pass' },
    ])
    expect(lines.map((line) => line.slice(11))).toEqual(['second', 'first', 'without a number'])
  })
})
