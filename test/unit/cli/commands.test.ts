import { describe, expect, it } from 'vitest'
import { parseExpiry } from '../../../src/cli/keys.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { formatBar } from '../../../src/cli/progress-display.ts'
import { explainRefusal } from '../../../src/cli/refusals.ts'
import { createFakeTerminal } from './fake-terminal.ts'

const COMMANDS = [
  ...['generate', 'estimate', 'models', 'history', 'serve', 'doctor'],
  ...['keys create', 'keys list', 'keys revoke', 'accounts create', 'accounts list', 'accounts grant'],
  ...['provider-keys list', 'provider-keys rewrap'],
]

describe('help', () => {
  it.each(COMMANDS)('of %s has an example and --json', async (command) => {
    const { context, written } = createFakeTerminal()
    const program = createProgram(context, async () => undefined)
    const help = program.parseAsync([...command.split(' '), '--help'], { from: 'user' })
    await expect(help).rejects.toMatchObject({ exitCode: 0 })
    expect(written.stdout).toContain(`$ npm run pictor -- ${command}`)
    expect(written.stdout).toContain('--json')
  })
})

describe('parseExpiry', () => {
  it('takes a life or a time', () => {
    expect(parseExpiry('30d', 1_000)).toBe(1_000 + 30 * 86_400_000)
    expect(parseExpiry('90m', 0)).toBe(5_400_000)
    expect(parseExpiry('2027-01-31T12:00Z', 0)).toBe(Date.UTC(2027, 0, 31, 12))
  })

  it.each(['', '5', '1y', 'tomorrow', '2027-13-01'])('refuses %j', (text) => {
    expect(() => parseExpiry(text, 0)).toThrow('Write a time')
  })
})

describe('formatBar', () => {
  it('draws how far it is, and draws no bar where nobody knows', () => {
    expect(formatBar(0.5, 1_234, '*')).toBe(`* ${'█'.repeat(15)}${'░'.repeat(15)}  50 %  1.2 s`)
    expect(formatBar(1, 0, '*')).toContain('100 %')
    expect(formatBar(null, 500, '*')).toBe('* 0.5 s')
  })
})

describe('explainRefusal', () => {
  it('prints each field with what would do, once', () => {
    const fields = [
      { path: 'size', message: 'No such size.', allowed: ['64x64', '128x128'] },
      { path: 'seed', message: 'It takes none.', allowed: [] },
    ]
    const refusal = {
      __typename: 'InvalidInputError',
      code: 'INVALID_INPUT',
      message: 'size: No such size.',
      fields,
    } as const
    expect(explainRefusal(refusal)).toMatchObject({
      exitCode: 2,
      message:
        'The request cannot be honoured:\n  size: No such size. Allowed: 64x64, 128x128.\n  seed: It takes none.',
    })
  })

  it('tells a name that does not exist from a model that cannot answer now', () => {
    const common = {
      __typename: 'ModelUnavailableError',
      code: 'MODEL_UNAVAILABLE',
      message: 'No.',
      replacement: null,
    } as const
    const unknown = explainRefusal({ ...common, reason: 'UNKNOWN', suggestions: ['sandbox/painter'] })
    expect(unknown).toMatchObject({ exitCode: 2, message: expect.stringContaining('sandbox/painter') })
    expect(explainRefusal({ ...common, reason: 'DOWN', suggestions: [] }).exitCode).toBe(1)
  })

  it('shows an unknown estimate as unknown', () => {
    const limit = { amount: '1.000000', currency: 'USD', credits: '1000.000000' }
    const refusal = {
      __typename: 'CostLimitError',
      code: 'COST_LIMIT',
      message: 'Too much.',
      estimate: null,
      limit,
    } as const
    expect(explainRefusal(refusal)).toMatchObject({
      exitCode: 1,
      message: 'Too much.\n  may cost: unknown\n  limit: 1.00 USD',
    })
  })
})
