import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import { planRequest } from '../../../src/generation/request-plan.ts'
import type { ModelCapabilities } from '../../../src/providers/model.ts'
import { catchProblems, makeInput, makeModel } from './request-plan-fixtures.ts'

const noRanges = { width: null, height: null }
const postcard = { ...noRanges, sizes: ['512x512', '768x512'], defaultSize: '768x512' }
const ratios = { ...noRanges, aspectRatios: ['1:1', '16:9', '9:16'], defaultSize: null }
const none = { ...noRanges, defaultSize: null }

function plan(capabilities: Partial<ModelCapabilities>, input: Partial<GenerationInput>) {
  const { parameters, warnings } = planRequest(makeModel(capabilities), {}, makeInput(input))
  const { width, height, aspectRatio } = parameters
  return { shape: [width, height, aspectRatio], warnings }
}

function refuse(capabilities: Partial<ModelCapabilities>, input: Partial<GenerationInput>) {
  return catchProblems(() => planRequest(makeModel(capabilities), {}, makeInput(input)))
}

describe('a size', () => {
  it.each<[Partial<GenerationInput>]>([
    [{ size: '512x512', aspectRatio: '1:1' }],
    [{ width: 512, height: 512, size: '512x512' }],
    [{ width: 512, aspectRatio: '1:1' }],
  ])('is given in one of three ways only: %j', (input) => {
    for (const strict of [true, false]) {
      const problems = refuse({}, { ...input, strict })
      expect(problems.length).toBeGreaterThanOrEqual(2)
      for (const problem of problems) expect(problem.message).toContain('only one of the three')
    }
  })

  it('needs both sides', () => {
    expect(refuse({}, { width: 512 })).toMatchObject([{ path: 'height' }])
    expect(refuse({}, { height: 512 })).toMatchObject([{ path: 'width' }])
  })

  it.each([
    '',
    '512',
    '512x',
    'x512',
    '512 x 512',
    '0x512',
    '-1x5',
    '1.5x2',
    '512x512x512',
    '999999x1',
    '５x5',
    'auto',
  ])('is not read from %j', (size) => {
    expect(refuse({}, { size, strict: false })).toMatchObject([{ path: 'size' }])
  })

  it.each(['', '16', '16:', '0:9', '16/9', '1.5:1', '16:9:1', '-1:1', 'wide'])(
    'is not read from a ratio %j',
    (text) => {
      expect(refuse({}, { aspectRatio: text, strict: false })).toMatchObject([{ path: 'aspectRatio' }])
    },
  )
})

describe('a model of certain sizes', () => {
  it('takes those by either name', () => {
    expect(plan(postcard, { size: '512x512' }).shape).toEqual([512, 512, null])
    expect(plan(postcard, { width: 768, height: 512 }).shape).toEqual([768, 512, null])
    expect(plan(postcard, {}).shape).toEqual([768, 512, null])
  })

  it('refuses another in one clear sentence with those that would do', () => {
    expect(refuse(postcard, { size: '600x600' })).toEqual([
      {
        path: 'size',
        message: 'test/easel makes 512x512 or 768x512; 600x600 is not among them.',
        allowed: ['512x512', '768x512'],
      },
    ])
    expect(refuse(postcard, { width: 600, height: 600 })).toMatchObject([{ path: 'width' }])
  })

  it('adjusts another to the nearest in shape, then in area', () => {
    const { shape, warnings } = plan(postcard, { size: '600x600', strict: false })
    expect(shape).toEqual([512, 512, null])
    expect(warnings).toEqual([
      {
        code: 'ADJUSTED',
        field: 'size',
        requested: '600x600',
        used: '512x512',
        message: 'test/easel makes 512x512 or 768x512; 600x600 is not among them. 512x512 is used.',
      },
    ])
    const squares = { ...noRanges, sizes: ['256x256', '1024x1024', '1536x1024'] }
    expect(plan(squares, { size: '900x900', strict: false }).shape).toEqual([1024, 1024, null])
    expect(plan(squares, { size: '300x300', strict: false }).shape).toEqual([256, 256, null])
  })

  it('takes a ratio for its size of that shape, at about the default area', () => {
    expect(plan(postcard, { aspectRatio: '3:2' }).shape).toEqual([768, 512, null])
    const many = { ...noRanges, sizes: ['256x256', '1024x1024', '1792x1024'], defaultSize: '1024x1024' }
    expect(plan(many, { aspectRatio: '1:1' }).shape).toEqual([1024, 1024, null])
    expect(plan(many, { aspectRatio: '16:9' }).shape).toEqual([1792, 1024, null])
  })

  it('refuses a ratio that no size has, and adjusts it otherwise', () => {
    expect(refuse(postcard, { aspectRatio: '16:9' })).toMatchObject([
      { path: 'aspectRatio', allowed: ['1:1', '3:2'], message: expect.stringContaining('none of them is 16:9') },
    ])
    const { shape, warnings } = plan(postcard, { aspectRatio: '16:9', strict: false })
    expect(shape).toEqual([768, 512, null])
    expect(warnings).toMatchObject([{ code: 'ADJUSTED', field: 'aspectRatio', requested: '16:9', used: '768x512' }])
  })
})

describe('a model of free sizes', () => {
  it('takes what is within its ranges', () => {
    expect(plan({}, { width: 1040, height: 64 }).shape).toEqual([1040, 64, null])
  })

  it('refuses each side that is not, with the nearest that would do', () => {
    expect(refuse({}, { width: 1001, height: 3000 })).toMatchObject([
      { path: 'width', message: expect.stringContaining('in multiples of 16; 1001 is not one of them.') },
      { path: 'height', message: expect.stringContaining('from 64 to 2048') },
    ])
    expect(refuse({}, { size: '1001x1000' })).toMatchObject([{ path: 'size', allowed: ['1008x1008'] }])
  })

  it('holds its limits of pixels', () => {
    const limits = { minPixels: 655_360, maxPixels: 2_000_000 }
    expect(refuse(limits, { size: '2048x2048' })).toMatchObject([
      { path: 'size', message: expect.stringContaining('at most 2000000 pixels; 2048x2048 has 4194304.') },
    ])
    expect(refuse(limits, { size: '64x64' })[0]?.message).toContain('at least 655360 pixels')
    expect(plan(limits, { size: '2048x2048', strict: false }).shape).toEqual([1408, 1408, null])
  })

  it.each([
    ['16:9', [1360, 768, null]],
    ['1:1', [1024, 1024, null]],
    ['9:16', [768, 1360, null]],
    ['2:1', [1440, 720, null]],
  ])('makes a size of %s at about the default area', (aspectRatio, shape) => {
    expect(plan({}, { aspectRatio }).shape).toEqual(shape)
  })

  it('names the ratio too where it declares it, in its own spelling', () => {
    expect(plan({ aspectRatios: ['16:9'] }, { aspectRatio: '32:18' }).shape).toEqual([1360, 768, '16:9'])
  })

  it('refuses a ratio that it cannot come near', () => {
    expect(refuse({}, { aspectRatio: '100:1' })).toMatchObject([{ path: 'aspectRatio' }])
    expect(plan({}, { aspectRatio: '100:1', strict: false }).shape).toEqual([2048, 64, null])
  })

  it('plans nothing but sizes that it makes, whatever is asked', () => {
    const side = fc.integer({ min: 1, max: 65_535 })
    const limits = { minPixels: 200_000, maxPixels: 3_000_000 }
    fc.assert(
      fc.property(side, side, (width, height) => {
        const adjusted = plan(limits, { width, height, strict: false })
        const [w, h] = adjusted.shape
        expect(plan(limits, { width: Number(w), height: Number(h) })).toEqual({ shape: [w, h, null], warnings: [] })
        const fits = adjusted.warnings.length === 0
        expect([w, h].join('x') === `${width}x${height}`).toBe(fits)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a model of aspect ratios', () => {
  it('takes one of its own', () => {
    expect(plan(ratios, { aspectRatio: '16:9' }).shape).toEqual([null, null, '16:9'])
    expect(plan(ratios, {}).shape).toEqual([null, null, null])
    expect(plan({ ...ratios, aspectRatios: ['auto', '1:1'] }, { aspectRatio: 'auto' }).shape).toEqual([
      null,
      null,
      'auto',
    ])
  })

  it('refuses another with its own, and adjusts it to the nearest otherwise', () => {
    expect(refuse(ratios, { aspectRatio: '2:1' })).toEqual([
      {
        path: 'aspectRatio',
        message: 'test/easel takes 1:1, 16:9 or 9:16; 2:1 is not among them.',
        allowed: ['1:1', '16:9', '9:16'],
      },
    ])
    expect(plan(ratios, { aspectRatio: '2:1', strict: false }).shape).toEqual([null, null, '16:9'])
  })

  it('refuses a size, and takes its nearest ratio otherwise', () => {
    expect(refuse(ratios, { size: '1000x2000' })).toMatchObject([
      { path: 'size', message: 'test/easel takes an aspect ratio, not a size. Ask for `aspectRatio` instead.' },
    ])
    const { shape, warnings } = plan(ratios, { size: '1000x2000', strict: false })
    expect(shape).toEqual([null, null, '9:16'])
    expect(warnings).toMatchObject([{ code: 'ADJUSTED', requested: '1000x2000', used: '9:16' }])
  })
})

describe('a model that takes no size', () => {
  it.each([{ size: '512x512' }, { aspectRatio: '1:1' }, { width: 512, height: 512 }])(
    'refuses or ignores %j',
    (asked) => {
      const field = Object.keys(asked)[0]
      expect(refuse(none, asked)).toMatchObject([{ path: field }])
      const { shape, warnings } = plan(none, { ...asked, strict: false })
      expect(shape).toEqual([null, null, null])
      expect(warnings).toMatchObject([{ code: 'IGNORED', field, used: null }])
    },
  )
})

describe('the shape of a picture that is edited', () => {
  const edit = (
    capabilities: Partial<ModelCapabilities>,
    picture: { width: number; height: number } | null,
    input: Partial<GenerationInput> = {},
  ) => {
    const given = makeInput({ referenceImages: [{ imageId: 'img_1' }], ...input })
    const { parameters, warnings, followsPictures } = planRequest(
      makeModel({ maxReferenceImages: 1, ...capabilities }),
      {},
      given,
      picture,
    )
    expect(warnings).toEqual([])
    return { shape: [parameters.width, parameters.height, parameters.aspectRatio], followsPictures }
  }
  const PHOTO = { width: 4032, height: 3024 }
  const google = {
    ...noRanges,
    sizes: ['1024x1024', '1200x896', '2400x1792'],
    aspectRatios: ['1:1', '4:3'],
    defaultSize: '1024x1024',
  }

  it.each([
    ['in free sizes', {}, [1168, 880, null]],
    ['among sizes', { ...postcard, sizes: ['512x512', '1024x768'] }, [1024, 768, null]],
    ['among ratios with sizes', google, [1200, 896, '4:3']],
  ])('is kept where no size is asked for, %s', (_, capabilities, shape) => {
    expect(edit(capabilities, PHOTO)).toEqual({ shape, followsPictures: true })
  })

  it('is not known before somebody has looked at it', () => {
    expect(edit({}, null)).toEqual({ shape: [1024, 1024, null], followsPictures: true })
  })

  it('gives way to a size that is asked for', () => {
    expect(edit({}, PHOTO, { size: '512x512' })).toEqual({ shape: [512, 512, null], followsPictures: false })
  })

  it('is left to a model that has no usual size', () => {
    expect(edit(ratios, PHOTO)).toEqual({ shape: [null, null, null], followsPictures: false })
  })
})

describe('a size that a model of few sizes and many ratios does not make', () => {
  const ideogram = { ...noRanges, sizes: ['1024x1024'], aspectRatios: ['1:1', '16:9'], defaultSize: '1024x1024' }

  it('is the nearest ratio, where the caller does not insist', () => {
    const { shape, warnings } = plan(ideogram, { size: '1280x720', strict: false })
    expect(shape).toEqual([null, null, '16:9'])
    expect(warnings).toMatchObject([{ code: 'ADJUSTED', requested: '1280x720', used: '16:9' }])
  })

  it('is refused with the ratios named, where the caller does', () => {
    expect(refuse(ideogram, { size: '1280x720' })).toMatchObject([
      { path: 'size', message: expect.stringContaining('`aspectRatio` may be 1:1 or 16:9') },
    ])
  })
})
