import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { takePicture } from '../../../src/references/given-picture.ts'
import { MAX_FOREIGN_BYTES } from '../../../src/storage/input-image.ts'

const BYTES = Buffer.from('not a picture, but bytes: ÿþ')
const SHA256 = createHash('sha256').update(BYTES).digest('hex')
const TEXT = BYTES.toString('base64')

const take = (base64: string) => takePicture({ base64 }, 'reference', 'referenceImages.0')

describe('takePicture', () => {
  it.each([
    ['bare', TEXT],
    ['a data: URI', `data:image/png;base64,${TEXT}`],
    ['a data: URI with parameters', `data:image/png;name=fox.png;base64,${TEXT}`],
    ['in lines', TEXT.replace(/.{8}/g, '$&\r\n')],
    ['without padding', TEXT.replace(/=+$/, '')],
    ['in the alphabet of URLs', BYTES.toString('base64url')],
  ])('takes base64 %s and leaves its digest', (_name, text) => {
    expect(take(text)).toEqual({
      picture: { role: 'reference', path: 'referenceImages.0.base64', input: { sha256: SHA256 }, bytes: BYTES },
    })
  })

  it.each([
    ['nothing', ''],
    ['only the start of a data: URI', 'data:image/png;base64,'],
    ['a data: URI that is not base64', 'data:image/svg+xml,<svg/>'],
    ['letters of no alphabet', `${TEXT.slice(0, 8)}!secret!`],
    ['a letter too many', `${TEXT.replace(/=+$/, '').slice(0, 8)}A`],
    ['an address', 'https://pictures.example/fox.png'],
    ['padding in the middle', 'AA==AAAA'],
  ])('refuses %s without repeating it', (_name, text) => {
    expect(take(text)).toEqual({
      problem: {
        path: 'referenceImages.0.base64',
        message: 'It must be the base64 of a picture, bare or as a data: URI.',
        allowed: [],
      },
    })
  })

  it('refuses too much before it decodes it', () => {
    const text = 'A'.repeat(MAX_FOREIGN_BYTES * 1.5)
    expect(take(text)).toMatchObject({ problem: { message: 'It has more than 20 MiB. Send a smaller one.' } })
  })

  it('passes on every other way as it is', () => {
    const input = { uploadId: 'upl_1' }
    expect(takePicture(input, 'mask', 'mask')).toEqual({
      picture: { role: 'mask', path: 'mask.uploadId', input, bytes: null },
    })
  })
})
