import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { thumbHashToAverageRGBA } from 'thumbhash'
import { describe, expect, it } from 'vitest'
import { configureImageEngine } from '../../../src/storage/image-engine.ts'
import { inspectImage } from '../../../src/storage/image-inspection.ts'
import { BrokenImageError, probeImage } from '../../../src/storage/image-probe.ts'
import { paintColour, paintImage } from './image-fixtures.ts'

configureImageEngine()

const FORMATS = [
  { format: 'png', mimeType: 'image/png', extension: 'png' },
  { format: 'jpeg', mimeType: 'image/jpeg', extension: 'jpg' },
  { format: 'webp', mimeType: 'image/webp', extension: 'webp' },
] as const

/** A PNG header that announces 900 million pixels over a body of nothing. */
function pngBomb(): Buffer {
  const header = Buffer.from('89504e470d0a1a0a0000000d49484452000075300000753008060000000000000000', 'hex')
  return Buffer.concat([header, Buffer.from('0000000049454e44ae426082', 'hex')])
}

describe('inspectImage', () => {
  it.each(FORMATS)('reads type, size, digest and placeholder of a $format from its bytes', async (expected) => {
    const bytes = await paintImage({ width: 120, height: 80, format: expected.format })
    const { thumbhash, ...inspected } = await inspectImage(bytes)
    expect(inspected).toEqual({
      mimeType: expected.mimeType,
      extension: expected.extension,
      width: 120,
      height: 80,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      sizeBytes: bytes.length,
    })
    expect(Buffer.from(thumbhash, 'base64').length).toBeGreaterThan(4)
  })

  it('paints a placeholder of the colour and transparency of the image', async () => {
    const hashOf = async (background: string) =>
      Buffer.from((await inspectImage(await paintColour(300, 200, background))).thumbhash, 'base64')
    const red = thumbHashToAverageRGBA(await hashOf('#ff0000'))
    expect(red.r).toBeGreaterThan(0.9)
    expect(red.b).toBeLessThan(0.1)
    expect(thumbHashToAverageRGBA(await hashOf('#00ff0000')).a).toBeLessThan(0.1)
  })

  it('gives width and height as viewers show them', async () => {
    const turned = await sharp(await paintColour(40, 20, '#123456'))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer()
    expect(await probeImage(turned)).toMatchObject({ width: 20, height: 40 })
  })

  it.each([
    ['one pixel', 1, 1],
    ['a thin line', 3, 4000],
  ])('takes %s', async (_name, width, height) => {
    expect(await inspectImage(await paintImage({ width, height, format: 'png' }))).toMatchObject({ width, height })
  })

  it('takes grey, CMYK and 16-bit pictures', async () => {
    const noise = await paintImage({ width: 30, height: 20, format: 'png' })
    const pictures = [
      await sharp(noise).greyscale().png().toBuffer(),
      await sharp(noise).toColourspace('cmyk').jpeg().toBuffer(),
      await sharp(noise).toColourspace('rgb16').png().toBuffer(),
    ]
    for (const bytes of pictures) expect(await inspectImage(bytes)).toMatchObject({ width: 30, height: 20 })
  })
})

describe('probeImage', () => {
  it.each(FORMATS)('throws on a $format that was cut anywhere, be it by one byte', async ({ format }) => {
    const bytes = await paintImage({ width: 300, height: 200, format })
    for (const cutBytes of [1, 2, 4, 8, 11, 12, 13, 100, bytes.length >> 1, bytes.length - 20]) {
      await expect(probeImage(bytes.subarray(0, bytes.length - cutBytes))).rejects.toThrow(BrokenImageError)
    }
  })

  it('throws on a PNG with a flipped bit', async () => {
    const bytes = await paintImage({ width: 300, height: 200, format: 'png' })
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
    await expect(probeImage(bytes)).rejects.toThrow(BrokenImageError)
  })

  it.each(['gif', 'tiff', 'avif'] as const)('throws on a %s, which is not served', async (format) => {
    await expect(probeImage(await paintImage({ width: 20, height: 20, format }))).rejects.toThrow(BrokenImageError)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>1</script></svg>')],
    ['PDF', Buffer.from('%PDF-1.7\n%%EOF')],
    ['HTML', Buffer.from('<!doctype html><h1>502 Bad Gateway</h1>')],
    ['JSON', Buffer.from('{"error":"no image"}')],
    ['a zip', Buffer.from('504b0304', 'hex')],
    ['the bare start of a JPEG', Buffer.from('ffd8ff', 'hex')],
    ['a header of 900 million pixels', pngBomb()],
  ])('throws on %s', async (_name, bytes) => {
    await expect(probeImage(bytes)).rejects.toThrow(BrokenImageError)
  })
})

describe('configureImageEngine', () => {
  it('leaves no way to the loaders of other formats', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    await expect(sharp(svg).metadata()).rejects.toThrow('unsupported image format')
  })
})
