import { describe, expect, it } from 'vitest'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import { planRequest } from '../../../src/generation/request-plan.ts'
import type { ModelCapabilities } from '../../../src/providers/model.ts'
import { catchProblems, makeInput, makeModel } from './request-plan-fixtures.ts'

describe('planRequest', () => {
  it('fills in the defaults of the model and leaves the rest to the provider', () => {
    expect(planRequest(makeModel(), {}, makeInput())).toEqual({
      modelId: 'test/easel',
      parameters: {
        width: 1024,
        height: 1024,
        aspectRatio: null,
        quality: 'low',
        style: null,
        background: null,
        outputFormat: 'PNG',
        outputCompression: null,
        seed: null,
        guidanceScale: null,
        enhancePrompt: null,
        watermark: null,
        referenceImages: 0,
        providerOptions: null,
      },
      count: 1,
      negativePrompt: null,
      usesMask: false,
      followsPictures: false,
      previews: 0,
      warnings: [],
    })
  })

  it('keeps everything that the model declares', () => {
    const asked = {
      quality: 'high',
      style: 'oil',
      background: 'TRANSPARENT',
      outputFormat: 'WEBP',
      outputCompression: 80,
      seed: Number.MAX_SAFE_INTEGER,
      guidanceScale: 7.5,
      enhancePrompt: false,
      watermark: true,
    } as const
    const plan = planRequest(makeModel(), {}, makeInput({ ...asked, count: 4, previews: 3, negativePrompt: 'rain' }))
    expect(plan.parameters).toMatchObject(asked)
    expect(plan).toMatchObject({ count: 4, previews: 3, negativePrompt: 'rain', warnings: [] })
  })

  it('names every offending field at once', () => {
    const input = makeInput({ prompt: ' ', count: 5, quality: 'ultra', size: '1001x1000', maxCost: 'NaN', tags: [''] })
    expect(
      catchProblems(() => planRequest(makeModel(), {}, input))
        .map((problem) => problem.path)
        .sort(),
    ).toEqual(['count', 'maxCost', 'prompt', 'quality', 'size', 'tags.0'])
  })
})

type Misfit = readonly [
  field: keyof GenerationInput,
  input: Partial<GenerationInput>,
  capabilities: Partial<ModelCapabilities>,
  message: string,
  used: string | null,
]

const MISFITS: readonly Misfit[] = [
  ['count', { count: 5 }, {}, 'test/easel makes at most 4 in one request; 5 are too many.', '4'],
  ['count', { count: 1_000_000_000 }, {}, 'at most 4', '4'],
  ['previews', { previews: 9 }, {}, 'test/easel shows at most 3 previews; 9 are too many.', '3'],
  ['previews', { previews: 1 }, { maxPreviews: 0 }, 'test/easel shows no previews.', null],
  ['quality', { quality: 'ultra' }, {}, 'test/easel takes low or high; ultra is not among them.', 'low'],
  ['quality', { quality: 'high' }, { qualities: [], defaultQuality: null }, 'has no setting `quality`', null],
  ['style', { style: 'neon glow' }, {}, 'test/easel takes ink or oil; "neon glow" is not among them.', null],
  ['background', { background: 'TRANSPARENT' }, { backgrounds: ['AUTO'] }, 'TRANSPARENT is not among them', null],
  ['background', { background: 'TRANSPARENT', outputFormat: 'JPEG' }, {}, 'A JPEG file cannot be transparent.', null],
  ['outputFormat', { outputFormat: 'WEBP' }, { outputFormats: ['JPEG'] }, 'WEBP is not among them', 'JPEG'],
  ['outputCompression', { outputCompression: 50 }, {}, 'Only JPEG and WEBP are compressed', null],
  ['outputCompression', { outputCompression: 50 }, { outputCompression: false }, 'has no setting', null],
  ['seed', { seed: 7 }, { seed: false }, 'test/easel has no setting `seed`.', null],
  ['negativePrompt', { negativePrompt: 'rain' }, { negativePrompt: false }, 'no setting `negativePrompt`', null],
  ['guidanceScale', { guidanceScale: 3 }, { guidanceScale: false }, 'no setting `guidanceScale`', null],
  ['enhancePrompt', { enhancePrompt: false }, { enhancePrompt: false }, 'no setting `enhancePrompt`', null],
  ['watermark', { watermark: false }, { watermark: false }, 'no setting `watermark`', null],
  ['providerOptions', { providerOptions: { steps: 4 } }, {}, 'test/easel takes no provider options.', null],
]

describe('what the model does not declare', () => {
  it.each(MISFITS)('is refused by name when strict: %s %j %j', (field, input, capabilities, message) => {
    const problems = catchProblems(() => planRequest(makeModel(capabilities), {}, makeInput(input)))
    expect(problems.map((problem) => problem.path)).toEqual([field])
    expect(problems[0]?.message).toContain(message)
  })

  it.each(MISFITS)(
    'is adjusted or ignored with a warning otherwise: %s %j %j',
    (field, input, capabilities, message, used) => {
      const plan = planRequest(makeModel(capabilities), {}, makeInput({ ...input, strict: false }))
      expect(plan.warnings).toHaveLength(1)
      expect(plan.warnings[0]).toMatchObject({ code: used === null ? 'IGNORED' : 'ADJUSTED', field, used })
      expect(plan.warnings[0]?.message).toContain(message)
      expect(() => planRequest(makeModel(capabilities), {}, adopt(input, field, used))).not.toThrow()
    },
  )

  it('lists the values that would do', () => {
    const input = makeInput({ quality: 'ultra', style: 'neon', outputFormat: 'WEBP' })
    const problems = catchProblems(() => planRequest(makeModel({ outputFormats: ['PNG', 'JPEG'] }), {}, input))
    expect(problems.map(({ path, allowed }) => [path, allowed])).toEqual([
      ['quality', ['low', 'high']],
      ['style', ['ink', 'oil']],
      ['outputFormat', ['PNG', 'JPEG']],
    ])
  })

  it('never repeats the text of a negative prompt in a warning', () => {
    const input = makeInput({ negativePrompt: 'my secret', strict: false })
    expect(JSON.stringify(planRequest(makeModel({ negativePrompt: false }), {}, input).warnings)).not.toContain(
      'secret',
    )
  })

  it('never cuts a prompt that is too long for the model', () => {
    for (const strict of [true, false]) {
      const input = makeInput({ prompt: '🦊'.repeat(1001), strict })
      const problems = catchProblems(() => planRequest(makeModel(), {}, input))
      expect(problems).toEqual([
        {
          path: 'prompt',
          message: 'test/easel reads prompts of up to 1000 characters; this one has 1001. Shorten it.',
          allowed: [],
        },
      ])
    }
    expect(() => planRequest(makeModel(), {}, makeInput({ prompt: '🦊'.repeat(1000) }))).not.toThrow()
  })
})

/** The strict request that a warning says was made instead. */
function adopt(input: Partial<GenerationInput>, field: keyof GenerationInput, used: string | null): GenerationInput {
  const value = field === 'count' || field === 'previews' ? Number(used) : used
  return makeInput({ ...input, [field]: value })
}

describe('file formats', () => {
  it('takes a format that can be transparent where the caller names none', () => {
    const model = makeModel({ outputFormats: ['JPEG', 'WEBP'] })
    const { parameters } = planRequest(model, {}, makeInput({ background: 'TRANSPARENT' }))
    expect(parameters).toMatchObject({ background: 'TRANSPARENT', outputFormat: 'WEBP' })
    expect(planRequest(model, {}, makeInput()).parameters.outputFormat).toBe('JPEG')
  })

  it.each([-1, 101, 1.5, Number.NaN])('refuses a compression of %s in any mode', (outputCompression) => {
    for (const strict of [true, false]) {
      const input = makeInput({ outputFormat: 'JPEG', outputCompression, strict })
      expect(catchProblems(() => planRequest(makeModel(), {}, input))[0]?.path).toBe('outputCompression')
    }
  })
})

describe('aliases', () => {
  it('fill in what the caller left open', () => {
    const model = makeModel({ sizes: ['1024x1024', '1344x768'] })
    const { parameters } = planRequest(model, { aspectRatio: '16:9', quality: 'high' }, makeInput())
    expect(parameters).toMatchObject({ width: 1344, height: 768, quality: 'high' })
  })

  it.each([{ size: '1344x768' }, { aspectRatio: '16:9' }, { aspectRatio: '32:18' }, { width: 1344, height: 768 }])(
    'agree with %j',
    (asked) => {
      const model = makeModel({ sizes: ['1024x1024', '1344x768'] })
      const { parameters } = planRequest(model, { aspectRatio: '16:9' }, makeInput(asked))
      expect(parameters).toMatchObject({ width: 1344, height: 768 })
    },
  )

  it.each([
    ['size', { size: '1024x1024' }],
    ['aspectRatio', { aspectRatio: '1:1' }],
    ['width', { width: 1024, height: 1024 }],
  ])('must not be contradicted by %s, in any mode', (path, asked) => {
    for (const strict of [true, false]) {
      const input = makeInput({ ...asked, strict })
      const problems = catchProblems(() => planRequest(makeModel(), { aspectRatio: '16:9' }, input))
      expect(problems).toMatchObject([{ path, allowed: ['16:9'] }])
    }
  })

  it('must not be contradicted by a quality', () => {
    const input = makeInput({ quality: 'low', strict: false })
    const problems = catchProblems(() => planRequest(makeModel(), { quality: 'high' }, input))
    expect(problems).toMatchObject([{ path: 'quality', allowed: ['high'] }])
  })
})

describe('life cycle', () => {
  it('warns of a deprecated model with its end and its successor', () => {
    const lifecycle = {
      state: 'DEPRECATED',
      retiresAt: Date.UTC(2026, 11, 1),
      replacement: 'test/tablet',
      note: null,
    } as const
    expect(planRequest(makeModel({}, { lifecycle }), {}, makeInput()).warnings).toMatchObject([
      {
        code: 'DEPRECATED_MODEL',
        field: 'model',
        message: 'test/easel is deprecated and retires on 2026-12-01. Use test/tablet instead.',
      },
    ])
  })
})
