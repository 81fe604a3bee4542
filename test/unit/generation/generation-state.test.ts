import { describe, expect, it } from 'vitest'
import { assertTransition, isTerminal } from '../../../src/generation/generation-state.ts'

const STATUSES = ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED'] as const
const ENDS = ['COMPLETED', 'FAILED', 'CANCELED']
const ALLOWED = [
  'QUEUED RUNNING',
  'RUNNING QUEUED',
  ...['QUEUED', 'RUNNING'].flatMap((from) => ENDS.map((to) => `${from} ${to}`)),
]

describe('the states of a generation', () => {
  it.each(STATUSES)('%s is terminal or not', (status) => {
    expect(isTerminal(status)).toBe(ENDS.includes(status))
  })

  it.each(STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const)))(
    'go from %s to %s or not',
    (from, to) => {
      const go = () => assertTransition(from, to)
      if (ALLOWED.includes(`${from} ${to}`)) expect(go).not.toThrow()
      else expect(go).toThrow(`cannot go from ${from} to ${to}`)
    },
  )
})
