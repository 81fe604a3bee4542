import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { createSystemClock } from '../../../src/clock.ts'
import { SANDBOX_MODELS } from '../../../src/providers/catalog/sandbox.ts'
import type { GenerationParameters, Model } from '../../../src/providers/model.ts'
import type { ProviderRequest } from '../../../src/providers/provider.ts'
import { STYLES } from '../../../src/providers/sandbox/painting/lexicon.ts'
import { createPainter, type PictureOrder } from '../../../src/providers/sandbox/painting/picture.ts'
import { readOrder } from '../../../src/providers/sandbox/sandbox-order.ts'
import { probeImage } from '../../../src/storage/image-probe.ts'

const painter = createPainter(createSystemClock())
const wanted = new AbortController().signal

type Changes = Partial<GenerationParameters> & Partial<Pick<ProviderRequest, 'modelName' | 'prompt' | 'negativePrompt'>>

function createOrder({
  modelName = 'painter',
  prompt = 'a red fox in snow',
  negativePrompt = null,
  ...changes
}: Changes): PictureOrder {
  const parameters: GenerationParameters = {
    width: 96,
    height: 96,
    aspectRatio: null,
    quality: null,
    style: null,
    background: null,
    outputFormat: null,
    outputCompression: null,
    seed: null,
    guidanceScale: null,
    enhancePrompt: null,
    watermark: null,
    referenceImages: 0,
    providerOptions: null,
    ...changes,
  }
  return readOrder(
    { modelName, prompt, negativePrompt, count: 1, previews: 0, parameters, wire: {}, referenceImages: [], mask: null },
    1,
  ).picture(parameters.seed ?? 1)
}

const paint = (changes: Changes = {}) => painter.paint(createOrder(changes), wanted)

/** Mean of each channel, 0 to 255. */
async function averageColor(bytes: Uint8Array): Promise<{ red: number; green: number; blue: number; alpha: number }> {
  const { channels } = await sharp(bytes).stats()
  const [red = 0, green = 0, blue = 0, alpha = 255] = channels.map((channel) => channel.mean)
  return { red, green, blue, alpha }
}

describe('a sandbox picture', () => {
  it('is the same for the same prompt, size and seed', async () => {
    expect(await paint()).toEqual(await paint())
  })

  it.each([
    ['prompt', { prompt: 'a blue fox in snow' }],
    ['seed', { seed: 2 }],
    ['size', { height: 64 }],
    ['negative prompt', { negativePrompt: 'snow' }],
    ['quality', { quality: 'fine' }],
    ['style', { style: 'orbs' }],
    ['guidance', { guidanceScale: 15 }],
    ['background', { background: 'TRANSPARENT' }],
    ['model', { modelName: 'etching' }],
  ] satisfies [string, Changes][])('is another one for another %s', async (_, changes) => {
    expect(await paint(changes)).not.toEqual(await paint())
  })

  it('looks different for every style', async () => {
    const pictures = await Promise.all(STYLES.map((style) => paint({ style })))
    const digests = pictures.map((bytes) => createHash('sha256').update(bytes).digest('hex'))
    expect(new Set(digests).size).toBe(STYLES.length)
  })

  it('is dark at night and light in snow', async () => {
    const night = await averageColor(await paint({ prompt: 'night', style: 'hills' }))
    const snow = await averageColor(await paint({ prompt: 'snow', style: 'hills' }))
    expect(snow.green - night.green).toBeGreaterThan(80)
  })

  it('takes the colours that the prompt names', async () => {
    for (const style of ['flow', 'facets'] as const) {
      const red = await averageColor(await paint({ prompt: 'crimson', style }))
      const blue = await averageColor(await paint({ prompt: 'azure', style }))
      expect(red.red - red.blue).toBeGreaterThan(blue.red - blue.blue)
    }
  })

  it('leaves out what the negative prompt names', async () => {
    const without = await averageColor(await paint({ prompt: 'night sea', negativePrompt: 'night', style: 'hills' }))
    const dark = await averageColor(await paint({ prompt: 'night sea', style: 'hills' }))
    expect(without.green).toBeGreaterThan(dark.green + 20)
  })

  it('is more colourful with more guidance', async () => {
    const saturation = async (guidanceScale: number) => {
      const { red, blue } = await averageColor(await paint({ prompt: 'orange', style: 'facets', guidanceScale }))
      return red - blue
    }
    expect(await saturation(14)).toBeGreaterThan((await saturation(1)) + 10)
  })

  it.each(STYLES)('leaves out the ground of %s when it is to be transparent', async (style) => {
    const { alpha } = await averageColor(await paint({ style, background: 'TRANSPARENT', width: 128, height: 128 }))
    expect(alpha).toBeGreaterThan(5)
    expect(alpha).toBeLessThan(250)
    expect((await averageColor(await paint({ style }))).alpha).toBe(255)
  })

  it('is smaller in bytes the more it is compressed', async () => {
    for (const outputFormat of ['JPEG', 'WEBP'] as const) {
      const [small, large] = await Promise.all(
        [20, 95].map((outputCompression) => paint({ outputFormat, outputCompression })),
      )
      expect(small?.byteLength).toBeLessThan((large?.byteLength ?? 0) / 2)
    }
  })

  it.each([
    ['16:9', 1368, 768],
    ['1:1', 1024, 1024],
    ['9:16', 768, 1368],
  ])('has the shape %s where only that is asked for', (aspectRatio, width, height) => {
    expect(createOrder({ width: null, height: null, aspectRatio })).toMatchObject({ width, height })
  })
})

describe('painting', () => {
  it('gives way to the event loop again and again', async () => {
    let now = 0
    const busy = createPainter({ now: () => now++, sleep: () => Promise.resolve() })
    const order = createOrder({})
    let turns = 0
    let isDone = false
    const count = () => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    await busy.paint(order, wanted)
    isDone = true
    expect(turns).toBeGreaterThan(10)
  })

  it('stops between two strokes when nobody wants the picture any more', async () => {
    const unwanted = new AbortController()
    let now = 0
    const busy = createPainter({ now: () => now++, sleep: () => Promise.resolve() })
    const picture = busy.paint(createOrder({}), unwanted.signal)
    setImmediate(() => unwanted.abort(new Error('Nobody waits.')))
    await expect(picture).rejects.toThrow('Nobody waits.')
    await expect(busy.paint(createOrder({}), wanted)).resolves.toBeDefined()
  })
})

describe.each(SANDBOX_MODELS.filter((model) => model.lifecycle.state !== 'RETIRED'))('$id', (model: Model) => {
  const { capabilities, providerModel: modelName } = model

  it('paints every format, quality, style and background that it declares, in the size that is asked for', async () => {
    const sides = capabilities.sizes[0]?.split('x').map(Number) ?? [64, 72]
    const [width = 0, height = 0] = sides
    for (const changes of listSettings(model)) {
      const bytes = await paint({ modelName, width, height, ...changes })
      const format = changes.outputFormat ?? capabilities.outputFormats[0]
      expect(await probeImage(bytes)).toMatchObject({ mimeType: `image/${format?.toLowerCase()}`, width, height })
    }
  })

  it('paints its default size where none is asked for', () => {
    const { width, height, format } = createOrder({ modelName, width: null, height: null })
    expect(`${width}x${height}`).toBe(capabilities.defaultSize)
    expect(capabilities.outputFormats).toContain(format)
  })

  it('costs nothing, which is known', () => {
    expect(model.prices).toMatchObject([{ unit: 'IMAGE', size: null, quality: null, usd: '0' }])
  })
})

function listSettings({ capabilities }: Model): readonly Partial<GenerationParameters>[] {
  return [
    ...capabilities.outputFormats.map((outputFormat) => ({ outputFormat })),
    ...capabilities.qualities.map((quality) => ({ quality })),
    ...capabilities.styles.map((style) => ({ style })),
    ...capabilities.backgrounds.map((background) => ({ background })),
  ]
}
