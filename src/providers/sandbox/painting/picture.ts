import { setImmediate as nextTurn } from 'node:timers/promises'
import sharp from 'sharp'
import type { Clock } from '../../../clock.ts'
import type { ImageFormat } from '../../model.ts'
import { paintAurora } from './aurora.ts'
import { type Canvas, createCanvas, type Painting } from './canvas.ts'
import { etchRaster } from './etching.ts'
import { paintFacets } from './facets.ts'
import { createRaster, developRaster, type Raster } from './finish.ts'
import { paintFlow } from './flow.ts'
import { paintHills } from './hills.ts'
import type { Style } from './lexicon.ts'
import { paintOrbs } from './orbs.ts'
import { borderRaster } from './postcard.ts'
import { layReferences, type References } from './references.ts'
import { composeScene, type Scene, type Subject } from './scene.ts'

export type Look = 'painting' | 'postcard' | 'etching'

/** The bytes are a function of these values and of nothing else. Width and height are pixels. */
export type PictureOrder = {
  readonly subject: Subject
  readonly look: Look
  readonly width: number
  readonly height: number
  /** Pixels that are painted one by one; a larger picture is enlarged from that. */
  readonly maxPaintedPixels: number
  readonly format: ImageFormat
  /** 1 to 100 for JPEG and WebP, higher is better; null: as it is good. */
  readonly encodingQuality: number | null
  readonly references: References
}

export type Painter = {
  /** Resolves to an encoded picture. Rejects with the signal's reason as soon as it aborts. */
  paint(order: PictureOrder, signal: AbortSignal): Promise<Uint8Array>
}

const PAINTERS: Record<Style, (scene: Scene, canvas: Canvas) => Painting> = {
  hills: paintHills,
  flow: paintFlow,
  orbs: paintOrbs,
  aurora: paintAurora,
  facets: paintFacets,
}

/** How long painting may keep the event loop from everything else. */
const SLICE_MS = 8

/**
 * One picture at a time: ten that took turns would hold the event loop for ten slices in a row, and none would be done
 * sooner.
 */
export function createPainter(clock: Clock): Painter {
  let queue: Promise<unknown> = Promise.resolve()
  return {
    paint: async (order, signal) => {
      const turn = queue.then(() => paintRaster(order, clock, signal))
      queue = turn.catch(() => undefined)
      return encodeRaster(await turn, order)
    },
  }
}

async function paintRaster(order: PictureOrder, clock: Clock, signal: AbortSignal): Promise<Raster> {
  signal.throwIfAborted()
  const scene = composeScene(order.subject)
  const scale = Math.min(1, Math.sqrt(order.maxPaintedPixels / (order.width * order.height)))
  const canvas = createCanvas(
    Math.max(1, Math.round(order.width * scale)),
    Math.max(1, Math.round(order.height * scale)),
  )
  const raster = createRaster(canvas, scene.transparent)
  let sliceStartedAt = clock.now()
  for (const _ of work(order, scene, canvas, raster)) {
    if (clock.now() - sliceStartedAt < SLICE_MS) continue
    await nextTurn()
    signal.throwIfAborted()
    sliceStartedAt = clock.now()
  }
  return raster
}

function* work(order: PictureOrder, scene: Scene, canvas: Canvas, raster: Raster): Painting {
  yield* PAINTERS[scene.style](scene, canvas)
  if (order.look === 'etching') yield* etchRaster(scene, canvas, raster)
  else yield* developRaster(scene, canvas, raster)
  if (order.look === 'postcard') yield* borderRaster(raster)
}

async function encodeRaster({ data, width, height, channels }: Raster, order: PictureOrder): Promise<Uint8Array> {
  const picture = sharp(data, { raw: { width, height, channels } })
  if (width !== order.width || height !== order.height) picture.resize(order.width, order.height, { fit: 'fill' })
  const laid = await layReferences(order.references, order)
  if (laid.length > 0) picture.composite(laid)
  const quality = order.encodingQuality ?? 90
  if (order.format === 'JPEG') return picture.jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer()
  if (order.format === 'WEBP') return picture.webp({ quality, effort: 2 }).toBuffer()
  // Grain does not compress: more effort would take longer and save a few percent.
  return picture.png({ compressionLevel: 4 }).toBuffer()
}
