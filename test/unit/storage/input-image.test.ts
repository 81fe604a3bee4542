import { randomBytes } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { configureImageEngine } from '../../../src/storage/image-engine.ts'
import {
  describeStoredImage,
  ForeignImageError,
  MAX_FOREIGN_BYTES,
  readForeignImage,
} from '../../../src/storage/input-image.ts'
import { makeAnimatedPng, makeAnimatedWebp, makeBomb, makeTaggedPhoto } from '../../support/foreign-pictures.ts'
import { paintColour, paintImage } from './image-fixtures.ts'

configureImageEngine()

const GPS = /GPS|Canon|xmpmeta|Exif/i

describe('readForeignImage', () => {
  it.each([
    { format: 'png', mimeType: 'image/png', extension: 'png' },
    { format: 'jpeg', mimeType: 'image/jpeg', extension: 'jpg' },
    { format: 'webp', mimeType: 'image/webp', extension: 'webp' },
  ] as const)('keeps a $format in the format it came in', async ({ format, mimeType, extension }) => {
    const bytes = await paintImage({ width: 60, height: 40, format })
    const image = await readForeignImage(bytes)
    expect(image).toMatchObject({ mimeType, extension, width: 60, height: 40, hasAlpha: false })
    expect(image.sizeBytes).toBe(image.bytes.byteLength)
    expect(await sharp(image.bytes).metadata()).toMatchObject({ format, width: 60, height: 40 })
  })

  it('gives the same bytes for the same picture, so that a copy is recognised', async () => {
    const bytes = await paintImage({ width: 60, height: 40, format: 'jpeg' })
    expect((await readForeignImage(bytes)).sha256).toBe((await readForeignImage(bytes)).sha256)
  })

  it.each(['jpeg', 'png', 'webp'] as const)(
    'takes place, camera and profile out of a %s, and turns it upright',
    async (format) => {
      const photo = await makeTaggedPhoto(format)
      expect(photo.toString('latin1')).toMatch(GPS)
      const { bytes, width, height } = await readForeignImage(photo)
      expect({ width, height }).toEqual({ width: 20, height: 40 })
      const { exif, xmp, icc, iptc, orientation } = await sharp(bytes).metadata()
      expect({ exif, xmp, icc, iptc, orientation }).toEqual({})
      expect(Buffer.from(bytes).toString('latin1')).not.toMatch(GPS)
      // Its left edge is red; turned clockwise it is the upper one.
      const { data } = await sharp(bytes)
        .extract({ left: 10, top: 2, width: 1, height: 1 })
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true })
      // In the profile that goes, the same red has 51 of green: the colours are converted and not just renamed.
      expect(data[0]).toBeGreaterThan(245)
      expect(data[1]).toBeLessThan(25)
      expect(data[2]).toBeLessThan(25)
    },
  )

  it.each(['png', 'webp'] as const)('keeps the transparency of a %s', async (format) => {
    const clear = await sharp(await paintColour(30, 30, '#ff000000'))
      .toFormat(format)
      .toBuffer()
    const image = await readForeignImage(clear)
    expect(image.hasAlpha).toBe(true)
    const { data } = await sharp(image.bytes).raw().toBuffer({ resolveWithObject: true })
    expect(data[3]).toBe(0)
  })

  it('makes sRGB of eight bits of grey, CMYK and 16-bit pictures', async () => {
    const noise = await paintImage({ width: 30, height: 20, format: 'png' })
    const pictures = [
      await sharp(noise).greyscale().png().toBuffer(),
      await sharp(noise).toColourspace('cmyk').jpeg().toBuffer(),
      await sharp(noise).toColourspace('rgb16').png().toBuffer(),
    ]
    for (const picture of pictures) {
      const { bytes } = await readForeignImage(picture)
      expect(await sharp(bytes).metadata()).toMatchObject({ space: 'srgb', depth: 'uchar', channels: 3 })
    }
  })

  it('refuses a bomb of 400 million pixels from its header', async () => {
    const bomb = makeBomb(20_000, 20_000)
    expect(bomb.byteLength).toBeLessThan(100_000)
    const before = process.memoryUsage().rss
    await expect(readForeignImage(bomb)).rejects.toThrow('64 million pixels')
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000)
  })

  it('refuses more bytes than it takes before it looks at one', async () => {
    const bytes = Buffer.concat([
      await paintImage({ width: 8, height: 8, format: 'png' }),
      Buffer.alloc(MAX_FOREIGN_BYTES),
    ])
    await expect(readForeignImage(bytes)).rejects.toThrow('more than 20 MiB')
  })

  it.each([
    [
      'SVG',
      Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>',
      ),
    ],
    ['PDF', Buffer.from('%PDF-1.7\n%%EOF')],
    ['HTML', Buffer.from('<!doctype html><h1>hello</h1>')],
    ['nothing', Buffer.alloc(0)],
    ['noise', randomBytes(500)],
  ])('refuses %s, whatever it calls itself', async (_name, bytes) => {
    await expect(readForeignImage(bytes)).rejects.toThrow('neither PNG nor JPEG nor WebP')
  })

  it.each(['gif', 'tiff', 'avif'] as const)('refuses a %s', async (format) => {
    const bytes = await paintImage({ width: 20, height: 20, format })
    await expect(readForeignImage(bytes)).rejects.toThrow('neither PNG nor JPEG nor WebP')
  })

  it('takes the picture of a JPEG that a film hangs behind, and leaves the film', async () => {
    const photo = await paintImage({ width: 60, height: 40, format: 'jpeg' })
    const film = Buffer.concat([Buffer.from('ffd8ffda', 'hex'), randomBytes(100_000), Buffer.from('ffda', 'hex')])
    const image = await readForeignImage(Buffer.concat([photo, film]))
    expect(image).toMatchObject({ width: 60, height: 40 })
    expect(image.sizeBytes).toBeLessThan(50_000)
  })

  it('refuses animations, of which one frame would be another picture', async () => {
    await expect(readForeignImage(await makeAnimatedWebp())).rejects.toThrow('animation')
    await expect(readForeignImage(await makeAnimatedPng())).rejects.toThrow('animation')
  })

  it.each(['png', 'jpeg', 'webp'] as const)('refuses a %s that is cut or damaged', async (format) => {
    const bytes = await paintImage({ width: 200, height: 150, format })
    for (const cutBytes of [1, 12, 100, bytes.length >> 1, bytes.length - 14]) {
      await expect(readForeignImage(bytes.subarray(0, bytes.length - cutBytes))).rejects.toThrow(ForeignImageError)
    }
  })
})

describe('describeStoredImage', () => {
  it('leaves the bytes as they are', async () => {
    const bytes = await paintColour(30, 20, '#ff000080')
    expect(await describeStoredImage(bytes)).toMatchObject({
      bytes,
      width: 30,
      height: 20,
      hasAlpha: true,
      mimeType: 'image/png',
    })
  })

  it('knows what is no picture', async () => {
    expect(await describeStoredImage(Buffer.from('lost'))).toBeUndefined()
  })
})
