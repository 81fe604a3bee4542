import { type Canvas, type Painting, shine } from './canvas.ts'
import type { Rgb } from './color.ts'
import { paintRidge } from './land.ts'
import { findFloors, traceOutline } from './outline.ts'
import { createRidge } from './ridges.ts'
import type { Scene } from './scene.ts'
import { paintSky } from './sky.ts'
import { scatterSnow, scatterStars } from './specks.ts'
import { paintWater } from './water.ts'

/** A curtain of light, a value for each column: its lower edge and its height in rows, and how bright its rays are. */
type Curtain = {
  readonly edge: Float32Array
  readonly tall: Float32Array
  readonly rays: Float32Array
  readonly low: Rgb
  readonly high: Rgb
  /** How far a ray leans, in columns a row. */
  readonly lean: number
}

/** Curtains of light over a dark shore, half the time above water that mirrors them. */
export function* paintAurora(scene: Scene, canvas: Canvas): Painting {
  const random = scene.random.fork('aurora')
  const aspect = canvas.width / canvas.height
  const isMirrored = scene.motifs.has('sea') || random.chance(0.4)
  const horizon = isMirrored ? random.between(0.6, 0.68) : random.between(0.78, 0.86)
  const shoreline = createRidge(
    scene,
    scene.motifs.has('trees') ? 'trees' : 'peaks',
    aspect,
    0.45,
    horizon,
    'shoreline',
  )
  const near = createRidge(scene, scene.motifs.has('dunes') ? 'dunes' : 'trees', aspect, 1, 1.03, 'foreground')
  const [far, front] = [traceOutline(shoreline, canvas), traceOutline(near, canvas)]
  const bottoms = [isMirrored ? horizon * canvas.height : canvas.height, canvas.height]
  const floors = findFloors([far, front], bottoms, canvas.width)
  yield* paintSky(scene, canvas, horizon, null, floors.sky)
  if (!scene.transparent) yield* scatterStars(scene, canvas, horizon)
  yield* hangCurtains(canvas, planCurtains(scene, canvas, horizon), floors.sky)
  const [farFloor, nearFloor] = floors.ridges
  if (farFloor) yield* paintRidge(scene, canvas, shoreline, far, null, farFloor)
  if (isMirrored) yield* paintWater(scene, canvas, horizon, null)
  if (nearFloor) yield* paintRidge(scene, canvas, near, front, null, nearFloor)
  if (scene.motifs.has('snow')) yield* scatterSnow(scene, canvas)
}

function planCurtains(scene: Scene, { width, height }: Canvas, horizon: number): readonly Curtain[] {
  const random = scene.random.fork('curtains')
  const [first, second, , fourth] = scene.palette.inks
  const count = Math.round(random.integer(3, 4) * Math.min(1.3, 0.4 + 0.6 * scene.detail))
  return Array.from({ length: count }, (_, index) => {
    const shift = random.between(0, 300)
    const base = horizon * random.between(0.45, 0.85)
    const sweep = random.between(0.1, 0.24)
    const reach = random.between(0.13, 0.3)
    const strength = random.between(0.6, 1.1) * (index === 0 ? 1.4 : 0.85)
    const perColumn = (value: (x: number) => number) =>
      Float32Array.from({ length: width }, (_, i) => value(i / height))
    const { noise } = scene
    return {
      edge: perColumn(
        (x) => (base + sweep * noise.ridge(x * 1.1 + shift, 3) + 0.012 * noise.along(x * 9 + shift)) * height,
      ),
      tall: perColumn((x) => reach * (0.75 + 0.6 * noise.along(x * 3.3 + shift + 50)) * height),
      rays: perColumn((x) => {
        const presence = Math.max(0, 0.55 + 0.9 * noise.along(x * 1.3 + shift + 90))
        const fine = 0.62 + 0.28 * noise.along(x * 26 + shift) + 0.22 * noise.along(x * 71 + shift)
        return strength * presence * Math.max(0.05, fine)
      }),
      low: (index % 2 === 0 ? first : second) ?? first,
      high: (index % 2 === 0 ? second : fourth) ?? first,
      lean: random.between(-0.16, 0.16),
    }
  })
}

function* hangCurtains(canvas: Canvas, curtains: readonly Curtain[], floor: Float32Array): Painting {
  const { width, height, pixels } = canvas
  const last = Math.min(height - 1, Math.ceil(Math.max(...floor)))
  for (let row = 0; row <= last; row++) {
    for (let column = 0; column < width; column++) {
      if (row > (floor[column] as number)) continue
      for (const curtain of curtains) light(pixels, (row * width + column) * 4, width, height, row, column, curtain)
    }
    yield
  }
}

function light(
  pixels: Float32Array,
  offset: number,
  width: number,
  height: number,
  row: number,
  column: number,
  curtain: Curtain,
): void {
  const rise = (curtain.edge[column] as number) - row
  const foot = Math.max(0, Math.min(width - 1, Math.round(column + rise * curtain.lean)))
  const above = (curtain.edge[foot] as number) - row
  if (above < -0.05 * height) return
  const tall = curtain.tall[foot] as number
  const t = above / tall
  if (t > 3) return
  const fade = above < 0 ? Math.exp(above / (0.011 * height)) : Math.exp(-t * 1.5) * (1 - t / 3)
  const brightness = (curtain.rays[foot] as number) * fade
  if (brightness < 0.004) return
  const mix = Math.min(1, Math.max(0, t * 0.8))
  const { low, high } = curtain
  shine(
    pixels,
    offset,
    (low[0] + (high[0] - low[0]) * mix) * brightness,
    (low[1] + (high[1] - low[1]) * mix) * brightness,
    (low[2] + (high[2] - low[2]) * mix) * brightness,
  )
}
