import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { createSystemClock } from '../../../src/clock.ts'
import { SANDBOX_MODELS } from '../../../src/providers/catalog/sandbox.ts'
import type { ProviderRequest, ReferenceImage } from '../../../src/providers/provider.ts'
import { createPainter } from '../../../src/providers/sandbox/painting/picture.ts'
import { readOrder } from '../../../src/providers/sandbox/sandbox-order.ts'
import { drawPreview } from '../../../src/providers/sandbox/sandbox-pictures.ts'
import { createProviderRequest, type RequestChanges } from '../../contract/providers/wire-stage.ts'

const painter = createPainter(createSystemClock())
const wanted = new AbortController().signal

const orderOf = (changes: RequestChanges) => readOrder(requestOf(changes), 1).picture(1)
const paint = (changes: RequestChanges = {}) => painter.paint(orderOf(changes), wanted)

function requestOf({ parameters, ...changes }: RequestChanges): ProviderRequest {
  return createProviderRequest({
    modelName: 'painter',
    ...changes,
    parameters: { width: 96, height: 64, referenceImages: changes.referenceImages?.length ?? 0, ...parameters },
  })
}

async function colour(background: string, width = 96, height = 64): Promise<ReferenceImage> {
  const bytes = await sharp({ create: { width, height, channels: 4, background } })
    .png()
    .toBuffer()
  return { bytes, mimeType: 'image/png', width, height }
}

/** Opaque on the left, transparent on the right. */
async function leftMask(): Promise<ReferenceImage> {
  const left = await sharp((await colour('#000', 48, 64)).bytes).toBuffer()
  const bytes = await sharp((await colour('#0000')).bytes)
    .composite([{ input: left, left: 0, top: 0 }])
    .png()
    .toBuffer()
  return { bytes, mimeType: 'image/png', width: 96, height: 64 }
}

async function pixel(bytes: Uint8Array, left: number, top: number): Promise<readonly number[]> {
  const data = await sharp(bytes).extract({ left, top, width: 1, height: 1 }).raw().toBuffer()
  return [...data.subarray(0, 3)]
}

const GREEN = [0, 255, 0]

describe('a sandbox picture from a reference image', () => {
  it('is a function of it, and the same each time', async () => {
    const referenceImages = [await colour('#0f0')]
    expect(await paint({ referenceImages })).toEqual(await paint({ referenceImages }))
    const others = await Promise.all([paint(), paint({ referenceImages: [await colour('#f00')] })])
    for (const other of others) expect(await paint({ referenceImages })).not.toEqual(other)
    expect(await paint({ referenceImages, prompt: 'an owl' })).not.toEqual(await paint({ referenceImages }))
  })

  it('shows it through the paint', async () => {
    const { channels } = await sharp(await paint({ referenceImages: [await colour('#0f0')] })).stats()
    const [red, green, blue] = channels.map(({ mean }) => mean)
    expect(green).toBeGreaterThan(150)
    expect(Math.max(red ?? 0, blue ?? 0)).toBeLessThan(120)
  })

  it('keeps what the mask covers as it is, and paints the rest as without a reference', async () => {
    const plain = await paint()
    const edited = await paint({ referenceImages: [await colour('#0f0')], mask: await leftMask() })
    for (const [left, top] of [
      [0, 0],
      [20, 40],
      [46, 63],
    ] as const) {
      expect(await pixel(edited, left, top)).toEqual(GREEN)
    }
    for (const [left, top] of [
      [50, 0],
      [70, 40],
      [95, 63],
    ] as const) {
      expect(await pixel(edited, left, top)).toEqual(await pixel(plain, left, top))
    }
  })

  it('has further ones pinned to its lower edge', async () => {
    const [first, second] = [await colour('#0f0'), await colour('#f00', 10, 10)]
    const edited = await paint({ referenceImages: [first, second] })
    expect(await pixel(edited, 6, 55)).toEqual([255, 0, 0])
    expect(await pixel(edited, 6, 20)).toEqual(await pixel(await paint({ referenceImages: [first] }), 6, 20))
  })

  it('takes pictures of other sizes, and is seen in previews', async () => {
    const referenceImages = [await colour('#0f0', 300, 20), await colour('#00f', 5, 5)]
    const bytes = await paint({ referenceImages, parameters: { outputFormat: 'JPEG' } })
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 96, height: 64, format: 'jpeg' })
    const preview = await drawPreview(painter, orderOf({ referenceImages }), 0.5, wanted)
    const [, green] = (await sharp(preview).stats()).channels
    expect(green?.mean).toBeGreaterThan(130)
  })

  it('is refused by models that declare none, and with more than they declare', async () => {
    const picture = await colour('#0f0')
    for (const { capabilities, providerModel: modelName } of SANDBOX_MODELS.slice(0, 3)) {
      const { maxReferenceImages: max } = capabilities
      const referenceImages = Array.from({ length: max + 1 }, () => picture)
      expect(() => orderOf({ modelName, referenceImages }), modelName).toThrow('of reference images')
      if (max > 0) orderOf({ modelName, referenceImages: referenceImages.slice(1) })
    }
    expect(() => orderOf({ mask: picture })).toThrow('A mask needs a reference image')
  })
})
