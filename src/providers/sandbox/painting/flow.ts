import { type Canvas, lay, type Painting } from './canvas.ts'
import { type Rgb, sampleGradient } from './color.ts'
import type { Noise } from './noise.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'

/** Lengths are in picture heights. */
type Stroke = {
  readonly points: readonly Point[]
  readonly width: number
  readonly color: Rgb
  readonly bristles: number
}
type Point = readonly [x: number, y: number]

const STEP = 0.006

/** Strokes that follow one field and never cross: the widest come first and the thin ones fill the gaps. */
export function* paintFlow(scene: Scene, canvas: Canvas): Painting {
  const aspect = canvas.width / canvas.height
  const random = scene.random.fork('flow')
  if (!scene.transparent) yield* paintGround(scene, canvas)
  const field = createDirections(scene.noise, random, aspect)
  const room = createRoom(aspect)
  const widest = random.between(0.028, 0.06)
  const tries = Math.round(900 * aspect * scene.detail)
  for (let i = 0; i < tries; i++) {
    const age = i / tries
    const width = widest * (1 - age) ** 1.7 + 0.004
    const start: Point = [random.between(-0.05, aspect + 0.05), random.between(-0.05, 1.05)]
    const points = trace(field, room, start, width, random.between(0.2, 0.95))
    if (points.length * STEP < Math.max(0.04, width * 2.6)) continue
    room.take(points, width)
    drawStroke(scene, canvas, {
      points,
      width,
      color: chooseColor(scene, random, start, aspect),
      bristles: random.between(0, 999),
    })
    yield
  }
}

function* paintGround(scene: Scene, { width, height, pixels }: Canvas): Painting {
  const [r, g, b] = scene.palette.ground
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const weave =
        1 + 0.05 * (scene.noise.speck(column >> 1, row) - 0.5) + 0.03 * (scene.noise.speck(column, row >> 1) - 0.5)
      lay(pixels, (row * width + column) * 4, r * weave, g * weave, b * weave, 1)
    }
    yield
  }
}

type Directions = (x: number, y: number) => number

/** Angles: smooth noise, and a swirl or two around which it turns. */
function createDirections(noise: Noise, random: Random, aspect: number): Directions {
  const lean = random.between(0, Math.PI * 2)
  const scale = random.between(0.55, 1.15)
  const turn = random.between(1.2, 2.6)
  const swirls = Array.from({ length: random.integer(0, 2) }, () => ({
    x: random.between(0.15, 0.85) * aspect,
    y: random.between(0.15, 0.85),
    spin: random.pick([-1, 1]),
    reach: random.between(0.2, 0.4),
  }))
  return (x, y) => {
    let angle = lean + turn * noise.clouds(x * scale, y * scale, 2) * 1.6
    for (const swirl of swirls) {
      const [dx, dy] = [x - swirl.x, y - swirl.y]
      const pull = Math.exp(-(dx * dx + dy * dy) / (swirl.reach * swirl.reach))
      const around = Math.atan2(dy, dx) + (swirl.spin * Math.PI) / 2
      angle += pull * Math.atan2(Math.sin(around - angle), Math.cos(around - angle))
    }
    return angle
  }
}

type Room = {
  isFree(x: number, y: number, width: number): boolean
  take(points: readonly Point[], width: number): void
}

/** Which places have paint already, on a grid that does not depend on the size of the picture. */
function createRoom(aspect: number): Room {
  const cells = 140
  const columns = Math.ceil((aspect + 0.2) * cells)
  const rows = Math.ceil(1.2 * cells)
  const taken = new Uint8Array(columns * rows)
  const visit = (x: number, y: number, radius: number, each: (cell: number) => boolean) => {
    const [cx, cy, reach] = [(x + 0.1) * cells, (y + 0.1) * cells, Math.max(0.6, radius * cells)]
    for (let row = Math.max(0, Math.floor(cy - reach)); row <= Math.min(rows - 1, cy + reach); row++) {
      for (let column = Math.max(0, Math.floor(cx - reach)); column <= Math.min(columns - 1, cx + reach); column++) {
        if ((column - cx) ** 2 + (row - cy) ** 2 <= reach * reach && !each(row * columns + column)) return false
      }
    }
    return true
  }
  return {
    isFree: (x, y, width) => visit(x, y, width * 0.5 + 0.0035, (cell) => taken[cell] === 0),
    take: (points, width) => {
      for (const [x, y] of points) {
        visit(x, y, width * 0.5, (cell) => {
          taken[cell] = 1
          return true
        })
      }
    },
  }
}

function trace(field: Directions, room: Room, start: Point, width: number, length: number): readonly Point[] {
  const points: Point[] = []
  let [x, y] = start
  for (let walked = 0; walked < length; walked += STEP) {
    const isOutside = x < -0.1 || y < -0.1 || y > 1.1
    if (isOutside || !room.isFree(x, y, width)) break
    points.push([x, y])
    const angle = field(x, y)
    x += Math.cos(angle) * STEP
    y += Math.sin(angle) * STEP
  }
  return points
}

/** Neighbours share colours: the field of colours is smoother than the field of strokes. */
function chooseColor(scene: Scene, random: Random, [x, y]: Point, aspect: number): Rgb {
  const { inks, ramp } = scene.palette
  if (random.chance(0.22)) return random.pick([...inks] as [Rgb, ...Rgb[]])
  const t = 0.5 + 0.55 * scene.noise.at((x / aspect) * 1.7 + 40, y * 1.7) + random.between(-0.1, 0.1)
  return sampleGradient(ramp, Math.min(0.97, Math.max(0.08, t)))
}

function drawStroke(scene: Scene, canvas: Canvas, stroke: Stroke): void {
  const radius = stroke.width * 0.5
  const stride = Math.max(1, Math.floor(1.5 / (STEP * canvas.height)))
  for (let i = 0; i < stroke.points.length - 1; i += stride) {
    const from = stroke.points[i]
    const to = stroke.points[Math.min(i + stride, stroke.points.length - 1)]
    if (from && to) drawSegment(scene, canvas, from, to, radius, stroke, i * STEP)
  }
}

/** A short straight piece; across it run the bristles, lighter on the one side and darker on the other. */
function drawSegment(
  scene: Scene,
  canvas: Canvas,
  from: Point,
  to: Point,
  radius: number,
  stroke: Stroke,
  walked: number,
): void {
  const { width, height, pixels } = canvas
  const x0 = from[0] * height
  const y0 = from[1] * height
  const dx = (to[0] - from[0]) * height
  const dy = (to[1] - from[1]) * height
  const length = Math.sqrt(dx * dx + dy * dy) || 1
  const ux = dx / length
  const uy = dy / length
  const reach = radius * height
  const [r, g, b] = stroke.color
  const firstColumn = Math.max(0, Math.floor(Math.min(x0, x0 + dx) - reach - 1))
  const lastColumn = Math.min(width - 1, Math.max(x0, x0 + dx) + reach + 1)
  const lastRow = Math.min(height - 1, Math.max(y0, y0 + dy) + reach + 1)
  for (let row = Math.max(0, Math.floor(Math.min(y0, y0 + dy) - reach - 1)); row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const px = column + 0.5 - x0
      const py = row + 0.5 - y0
      const along = px * ux + py * uy
      if (along < -0.5 || along > length + 0.5) continue
      const lane = (py * ux - px * uy) / reach
      const coverage = Math.min(1, reach + 0.5 - Math.abs(lane) * reach)
      if (coverage <= 0) continue
      const hair = scene.noise.at(stroke.bristles + lane * 3.5, (walked + along / height) * 9)
      const light = 1 + 0.2 * hair - 0.16 * lane
      lay(pixels, (row * width + column) * 4, r * light, g * light, b * light, coverage)
    }
  }
}
