import { describe, expect, it } from 'vitest'
import { createFakeTerminal } from './fake-terminal.ts'

describe('output', () => {
  it('colours on a terminal, and nowhere else', () => {
    expect(createFakeTerminal({ isTTY: true }).output.style('red', 'no')).toBe('\u001B[31mno\u001B[39m')
    expect(createFakeTerminal({ isTTY: false }).output.style('red', 'no')).toBe('no')
  })

  it('honours NO_COLOR, but not an empty one', () => {
    expect(createFakeTerminal({ isTTY: true, environment: { NO_COLOR: '1' } }).output.style('red', 'no')).toBe('no')
    expect(createFakeTerminal({ isTTY: true, environment: { NO_COLOR: '' } }).output.style('red', 'no')).not.toBe('no')
  })

  it('keeps results and what happens meanwhile apart', () => {
    const { output, written } = createFakeTerminal()
    output.note('working')
    output.json({ done: true })
    expect(written).toEqual({ stdout: '{\n  "done": true\n}\n', stderr: 'working\n' })
  })

  it('keeps the status below the lines that are written meanwhile', () => {
    const { output, written } = createFakeTerminal({ isTTY: true })
    output.status('50 %')
    output.note('a transition')
    output.status('')
    const erase = '\r\u001B[2K'
    expect(written.stderr).toBe(`${erase}50 %${erase}a transition\n${erase}50 %${erase}`)
  })

  it('draws no status where nobody looks', () => {
    const { output, written } = createFakeTerminal()
    output.status('50 %')
    expect(written.stderr).toBe('')
  })
})
