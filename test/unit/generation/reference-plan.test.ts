import { describe, expect, it } from 'vitest'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import { planRequest } from '../../../src/generation/request-plan.ts'
import type { ModelCapabilities } from '../../../src/providers/model.ts'
import { catchProblems, makeInput, makeModel } from './request-plan-fixtures.ts'

const pictures = (count: number) => Array.from({ length: count }, (_, index) => ({ imageId: `img_${index}` }))

function plan(capabilities: Partial<ModelCapabilities>, input: Partial<GenerationInput>) {
  return planRequest(makeModel(capabilities), {}, makeInput(input))
}

function refused(capabilities: Partial<ModelCapabilities>, input: Partial<GenerationInput>) {
  return catchProblems(() => plan(capabilities, input)).map(({ path, message }) => ({ path, message }))
}

describe('reference images', () => {
  it('are counted', () => {
    const { parameters, usesMask, warnings } = plan({ maxReferenceImages: 4 }, { referenceImages: pictures(3) })
    expect({ parameters, usesMask, warnings }).toMatchObject({
      parameters: { referenceImages: 3 },
      usesMask: false,
      warnings: [],
    })
  })

  it.each([true, false])('are refused by a model that takes none, strict %s', (strict) => {
    const input = { referenceImages: pictures(1), mask: { imageId: 'img_9' }, strict }
    expect(refused({ maxReferenceImages: 0 }, input)).toEqual([
      {
        path: 'referenceImages',
        message: 'test/easel takes no reference images. Choose a model that does: its `maxReferenceImages` is above 0.',
      },
    ])
  })

  it.each([true, false])('are asked for by a model that only edits, strict %s', (strict) => {
    const edits = { minReferenceImages: 1, maxReferenceImages: 2 }
    expect(refused(edits, { strict })).toEqual([
      {
        path: 'referenceImages',
        message: 'test/easel starts from pictures and needs at least 1; there are 0. Give `referenceImages`.',
      },
    ])
    expect(plan(edits, { referenceImages: pictures(1), strict }).parameters.referenceImages).toBe(1)
  })

  it('above the most of the model are refused, or left out and said', () => {
    const input = { referenceImages: pictures(3) }
    expect(refused({ maxReferenceImages: 2 }, input).map(({ path }) => path)).toEqual(['referenceImages'])
    const { parameters, warnings } = plan({ maxReferenceImages: 2 }, { ...input, strict: false })
    expect(parameters.referenceImages).toBe(2)
    expect(warnings).toEqual([
      {
        code: 'ADJUSTED',
        field: 'referenceImages',
        requested: '3',
        used: '2',
        message: 'test/easel takes at most 2 pictures, with `strict: false` the first ones; 3 are too many. 2 is used.',
      },
    ])
  })

  it('are at most sixteen, whatever the model', () => {
    const problems = refused({ maxReferenceImages: 99 }, { referenceImages: pictures(17) })
    expect(problems).toEqual([{ path: 'referenceImages', message: 'There may be 16 of them; there are 17.' }])
  })

  it.each([
    ['ftp://pictures.example/fox.png'],
    ['/fox.png'],
    ['not an address'],
    [`https://pictures.example/${'x'.repeat(5_000)}`],
  ])('are not looked for at %s', (url) => {
    const [problem, ...others] = refused({ maxReferenceImages: 2 }, { referenceImages: [{ url }] })
    expect(others).toEqual([])
    expect(problem).toMatchObject({ path: 'referenceImages.0.url' })
    expect(problem?.message).not.toContain('pictures.example')
  })

  it('are not looked for under ids that are none', () => {
    const input = { referenceImages: [{ imageId: '' }, { uploadId: 'x\n' }], mask: { imageId: 'x'.repeat(500) } }
    expect(refused({ maxReferenceImages: 2, mask: true }, input).map(({ path }) => path)).toEqual([
      'referenceImages.0.imageId',
      'referenceImages.1.uploadId',
      'mask.imageId',
    ])
  })
})

describe('a mask', () => {
  const masked = { referenceImages: pictures(1), mask: { uploadId: 'upl_1' } }

  it('goes with a reference image', () => {
    const { usesMask, warnings } = plan({ maxReferenceImages: 1, mask: true }, masked)
    expect({ usesMask, warnings }).toEqual({ usesMask: true, warnings: [] })
  })

  it.each([true, false])('is refused without one, strict %s', (strict) => {
    const input = { mask: { uploadId: 'upl_1' }, strict }
    expect(refused({ maxReferenceImages: 1, mask: true }, input).map(({ path }) => path)).toEqual(['mask'])
  })

  it('is refused by a model that takes none, or ignored and said', () => {
    expect(refused({ maxReferenceImages: 1 }, masked).map(({ path }) => path)).toEqual(['mask'])
    const { usesMask, warnings } = plan({ maxReferenceImages: 1 }, { ...masked, strict: false })
    expect(usesMask).toBe(false)
    expect(warnings).toMatchObject([{ code: 'IGNORED', field: 'mask', requested: null, used: null }])
  })
})
