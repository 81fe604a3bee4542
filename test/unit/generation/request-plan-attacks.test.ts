import { describe, expect, it } from 'vitest'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import { checkInput } from '../../../src/generation/input-limits.ts'
import { planRequest } from '../../../src/generation/request-plan.ts'
import { catchProblems, makeInput, makeModel } from './request-plan-fixtures.ts'

function paths(input: Partial<GenerationInput>): string[] {
  return checkInput(makeInput(input)).map((problem) => problem.path)
}

function nest(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = { a: value }
  return value
}

describe('prompts', () => {
  it.each([
    ['nothing', ''],
    ['only white space', ' \t\n\u3000\u00a0'],
    ['a megabyte', 'a'.repeat(1_048_576)],
    ['one character too many', '🦊'.repeat(32_001)],
    ['half of a surrogate pair', 'fox \ud83e'],
    ['NUL', 'fox\0'],
  ])('are refused with %s', (_, prompt) => {
    expect(paths({ prompt })).toEqual(['prompt'])
    expect(paths({ negativePrompt: prompt })).toEqual(['negativePrompt'])
  })

  it.each([
    ['a right-to-left override', '\u202eevil'],
    ['joined emoji', '👩‍👩‍👧‍👦'],
    ['JSON', '{"evil":1}'],
    ['a formula', '=cmd()'],
    ['a tag', '</script>'],
    ['a hundred lines', `fox${'\n'.repeat(100)}`],
    ['as many characters as there may be', '🦊'.repeat(32_000)],
  ])('are taken with %s', (_, prompt) => {
    expect(paths({ prompt })).toEqual([])
  })
})

describe('numbers', () => {
  it.each<[string, Partial<GenerationInput>]>([
    ['count', { count: 0 }],
    ['count', { count: -1 }],
    ['count', { count: 1.5 }],
    ['width', { width: 0, height: 512 }],
    ['width', { width: 65_537, height: 512 }],
    ['height', { width: 512, height: 1.5 }],
    ['height', { width: 512, height: Number.NaN }],
    ['seed', { seed: -1 }],
    ['seed', { seed: 2 ** 64 }],
    ['seed', { seed: 2 ** 53 }],
    ['guidanceScale', { guidanceScale: Number.POSITIVE_INFINITY }],
    ['guidanceScale', { guidanceScale: Number.NaN }],
    ['guidanceScale', { guidanceScale: -0.1 }],
    ['previews', { previews: -1 }],
    ['deadlineSeconds', { deadlineSeconds: 0 }],
    ['deadlineSeconds', { deadlineSeconds: 86_401 }],
  ])('refuses %s in any mode: %j', (path, input) => {
    for (const strict of [true, false]) {
      const problems = catchProblems(() => planRequest(makeModel(), {}, makeInput({ ...input, strict })))
      expect(problems.map((problem) => problem.path)).toEqual([path])
    }
  })

  it('refuses a count and a width that no model makes', () => {
    const input = makeInput({ count: 1e9, width: 1, height: 1 })
    const problems = catchProblems(() => planRequest(makeModel(), {}, input))
    expect(problems.map((problem) => problem.path).sort()).toEqual(['count', 'height', 'width'])
  })

  it('takes the largest seed', () => {
    expect(paths({ seed: 2 ** 53 - 1 })).toEqual([])
  })
})

describe('maxCost', () => {
  it.each([
    '-1',
    '0',
    '0.000000',
    'NaN',
    '1e999',
    'Infinity',
    '',
    ' 1',
    '1'.repeat(40),
    `0.${'3'.repeat(40)}`,
    '0x1',
    '0.0000001',
  ])('is refused when it is %j', (maxCost) => {
    expect(paths({ maxCost })).toEqual(['maxCost'])
  })

  it.each(['0.000001', '1', '9007199254.740991', '0.1000000000'])('is taken when it is %j', (maxCost) => {
    expect(paths({ maxCost })).toEqual([])
  })
})

describe('names, tags and keys', () => {
  it.each<[string, Partial<GenerationInput>]>([
    ['idempotencyKey', { idempotencyKey: '' }],
    ['idempotencyKey', { idempotencyKey: 'k'.repeat(256) }],
    ['idempotencyKey', { idempotencyKey: 'a\nb' }],
    ['idempotencyKey', { idempotencyKey: 'clé' }],
    ['tags', { tags: Array.from({ length: 21 }, (_, index) => `tag${index}`) }],
    ['tags.1', { tags: ['a', ''] }],
    ['tags.1', { tags: ['a', 'a'] }],
    ['tags.0', { tags: ['t'.repeat(65)] }],
    ['tags.0', { tags: ['a\0'] }],
    ['endUser', { endUser: '' }],
    ['endUser', { endUser: 'u'.repeat(129) }],
    ['endUser', { endUser: 'a\u0007b' }],
    ['fallbackModels', { fallbackModels: ['a', 'b', 'c', 'd', 'e', 'f'] }],
    ['fallbackModels.1', { fallbackModels: ['a', 'a'] }],
    ['fallbackModels.0', { fallbackModels: [''] }],
    ['model', { model: 'm'.repeat(201) }],
    ['quality', { quality: '' }],
  ])('refuses %s: %j', (path, input) => {
    expect(paths(input)).toEqual([path])
  })

  it('takes the longest of each', () => {
    const input = {
      idempotencyKey: '~'.repeat(255),
      tags: Array.from({ length: 20 }, (_, index) => `${'🦊'.repeat(62)}${index + 10}`),
      endUser: '🦊'.repeat(128),
      fallbackModels: ['a', 'b', 'c', 'd', 'e'],
      deadlineSeconds: 86_400,
    }
    expect(paths(input)).toEqual([])
  })
})

describe('free JSON', () => {
  const cases: [string, unknown][] = [
    ['__proto__', JSON.parse('{"a":[{"__proto__":{"admin":true}}]}')],
    ['constructor', { constructor: { prototype: {} } }],
    ['prototype', { a: { prototype: 1 } }],
    ['a megabyte', { text: 'a'.repeat(1_048_576) }],
    ['a byte too many', { a: 'é'.repeat(8_188), b: '' }],
    ['nine levels', nest(9)],
    ['a thousand levels', nest(1_000)],
    ['a hundred thousand levels', nest(100_000)],
    ['a list that is too deep', [[[[[[[[[1]]]]]]]]]],
    ['infinity', { a: Number.POSITIVE_INFINITY }],
    ['NUL', { a: ['x\0'] }],
    ['half of a surrogate pair', { '\ud800': 1 }],
    ['a date', { a: new Date(0) }],
    ['a function', { a: () => 1 }],
    ['undefined', { a: undefined }],
  ]

  it.each(cases)('refuses %s', (_, value) => {
    expect(paths({ metadata: value })).toEqual(['metadata'])
    const input = makeInput({ providerOptions: value, strict: false })
    expect(catchProblems(() => planRequest(makeModel(), {}, input)).map((problem) => problem.path)).toEqual([
      'providerOptions',
    ])
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false)
  })

  it('takes eight levels and 16 KB', () => {
    expect(paths({ metadata: nest(8) })).toEqual([])
    expect(paths({ metadata: { a: 'a'.repeat(16_384 - 8) } })).toEqual([])
    expect(paths({ metadata: { a: 'a'.repeat(16_384 - 7) } })).toEqual(['metadata'])
    expect(paths({ metadata: Object.assign(Object.create(null), { order: 7 }) })).toEqual([])
  })

  it('takes options as an object only', () => {
    expect(paths({ providerOptions: [1] })).toEqual(['providerOptions'])
    expect(paths({ providerOptions: 'n=1000' })).toEqual(['providerOptions'])
  })
})

describe('providerOptions', () => {
  const schema = {
    type: 'object',
    properties: {
      steps: { type: 'integer', minimum: 1, maximum: 50 },
      mode: { enum: ['fast', 'fine'] },
      lora: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    },
  }
  const model = makeModel({ providerOptions: schema })
  const refuse = (providerOptions: unknown, strict = true) =>
    catchProblems(() => planRequest(model, {}, makeInput({ providerOptions, strict })))

  it('passes on what the schema allows, as a copy', () => {
    const providerOptions = { steps: 20, lora: { name: 'ink' } }
    const { parameters } = planRequest(model, {}, makeInput({ providerOptions }))
    expect(parameters.providerOptions).toEqual(providerOptions)
    expect(parameters.providerOptions).not.toBe(providerOptions)
    expect(parameters.providerOptions?.lora).not.toBe(providerOptions.lora)
  })

  it.each(['n', 'response_format', 'user', 'webhook', 'base_url', 'num_images'])(
    'refuses the unknown key %s',
    (key) => {
      expect(refuse({ steps: 2, [key]: 1000 })).toEqual([
        {
          path: `providerOptions.${key}`,
          message: `There is no option ${key}. Known: steps, mode or lora.`,
          allowed: ['steps', 'mode', 'lora'],
        },
      ])
    },
  )

  it('refuses unknown keys inside an option', () => {
    expect(refuse({ lora: { name: 'ink', url: 'http://169.254.169.254' } })).toMatchObject([
      { path: 'providerOptions.lora.url' },
    ])
  })

  it('refuses every wrong value by its path', () => {
    expect(refuse({ steps: 10 ** 6, mode: 'slow' })).toMatchObject([
      { path: 'providerOptions.steps' },
      { path: 'providerOptions.mode', allowed: ['fast', 'fine'] },
    ])
  })

  it('drops what does not fit when not strict, and says so', () => {
    const input = makeInput({ providerOptions: { steps: 20, n: 1000, mode: 'slow' }, strict: false })
    const plan = planRequest(model, {}, input)
    expect(plan.parameters.providerOptions).toEqual({ steps: 20 })
    expect(plan.warnings.map(({ code, field }) => [code, field])).toEqual([
      ['IGNORED', 'providerOptions.mode'],
      ['IGNORED', 'providerOptions.n'],
    ])
    expect(plan.count).toBe(1)
  })

  it('refuses in any mode what cannot be mended by leaving it out', () => {
    const needy = makeModel({ providerOptions: { ...schema, required: ['steps'] } })
    const input = makeInput({ providerOptions: { steps: 0 }, strict: false })
    expect(catchProblems(() => planRequest(needy, {}, input))).toMatchObject([{ path: 'providerOptions.steps' }])
  })

  it('takes no key by a schema that names none', () => {
    const closed = makeModel({ providerOptions: {} })
    const input = makeInput({ providerOptions: { n: 1000 } })
    expect(catchProblems(() => planRequest(closed, {}, input))).toMatchObject([{ path: 'providerOptions.n' }])
  })

  it('lets an empty object be', () => {
    const input = makeInput({ providerOptions: {} })
    expect(planRequest(makeModel(), {}, input).parameters.providerOptions).toBeNull()
  })
})
