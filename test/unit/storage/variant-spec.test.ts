import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import {
  formatVariant,
  IMAGE_FITS,
  parseVariant,
  resolveVariant,
  variantExtension,
} from '../../../src/storage/variant-spec.ts'

const side = fc.option(fc.integer({ min: 1, max: 4096 }))
const request = fc.record({
  width: side,
  height: side,
  fit: fc.constantFrom(...IMAGE_FITS),
  format: fc.option(fc.constantFrom('JPEG' as const, 'WEBP' as const)),
  quality: fc.option(fc.integer({ min: 1, max: 100 })),
})

describe('resolveVariant', () => {
  it('is the image itself where nothing else is asked for', () => {
    expect(resolveVariant({}, 'image/png')).toBeUndefined()
    expect(resolveVariant({ fit: 'COVER', format: null, width: null }, 'image/png')).toBeUndefined()
    expect(resolveVariant({ format: 'WEBP' }, 'image/webp')).toBeUndefined()
  })

  it('takes the format of the stored image and a default quality', () => {
    expect(resolveVariant({ width: 400 }, 'image/jpeg')).toEqual({
      width: 400,
      height: null,
      fit: 'INSIDE',
      format: 'JPEG',
      quality: 80,
    })
    expect(resolveVariant({ width: 400 }, 'image/png')?.quality).toBeNull()
  })

  it('is one and the same for requests that mean the same picture', () => {
    const asked = resolveVariant({ width: 400, fit: 'COVER', format: 'WEBP', quality: 80 }, 'image/png')
    expect(asked).toEqual(resolveVariant({ width: 400, format: 'WEBP' }, 'image/png'))
  })

  it.each([
    [{ width: 0 }, 'width'],
    [{ width: 4097 }, 'width'],
    [{ height: -1 }, 'height'],
    [{ height: 1.5 }, 'height'],
    [{ width: 5, quality: 0, format: 'JPEG' }, 'quality'],
    [{ quality: 101, format: 'WEBP' }, 'quality'],
    [{ quality: 50, format: 'PNG' }, 'quality'],
    [{ quality: 50 }, 'quality'],
  ] as const)('refuses %j and names %s', (refused, path) => {
    const resolve = () => resolveVariant(refused, 'image/png')
    expect(resolve).toThrow(InvalidInputError)
    expect(resolve).toThrow(new RegExp(`^${path}: `))
  })
})

describe('the text form of a variant', () => {
  it('reads back as what was written', () => {
    fc.assert(
      fc.property(request, (asked) => {
        const spec = resolveVariant(asked, 'image/jpeg')
        if (spec) expect(parseVariant(formatVariant(spec), variantExtension(spec))).toEqual(spec)
      }),
    )
  })

  it.each([
    '',
    'w400',
    'w0400-inside',
    'inside-q080',
    'h3-w4-inside',
    'w4-inside ',
    'W4-inside',
    'w4-inside-q80-q80',
    '../x',
  ])('has no second spelling such as %j', (text) => {
    expect(parseVariant(text, 'webp')).toBeUndefined()
  })
})
