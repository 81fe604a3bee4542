import { type Canvas, lay, type Painting, smoothstep } from './canvas.ts'
import type { Rgb } from './color.ts'
import { createField } from './field.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import { scatterStars } from './specks.ts'

/** Lengths are in picture heights; `turn` is where the light of a disc comes from, or where an arc opens. */
type Shape = {
  readonly kind: 'disc' | 'half' | 'rings' | 'arc' | 'dots'
  readonly x: number
  readonly y: number
  readonly radius: number
  readonly turn: number
  readonly from: Rgb
  readonly to: Rgb
  readonly isGlass: boolean
}

/** Overlapping circles, half circles, rings and arcs on paper, printed with a coarse grain. */
export function* paintOrbs(scene: Scene, canvas: Canvas): Painting {
  const aspect = canvas.width / canvas.height
  if (!scene.transparent) yield* paintPaper(scene, canvas)
  if (scene.motifs.has('stars') && !scene.transparent) yield* scatterStars(scene, canvas, 1.3)
  const [far, ...shapes] = planShapes(scene, aspect)
  if (far && !scene.transparent) yield* printShape(scene, canvas, far)
  for (const shape of shapes) yield* printShape(scene, canvas, shape)
}

function* paintPaper(scene: Scene, { width, height, pixels }: Canvas): Painting {
  const { ground, haze } = scene.palette
  const warmth = createField(width, height, (x, y) => 0.5 + 0.5 * scene.noise.clouds(x * 0.9, y * 0.9, 2))
  for (let row = 0; row < height; row++) {
    const values = warmth.row(row)
    for (let column = 0; column < width; column++) {
      const offset = (row * width + column) * 4
      lay(pixels, offset, ground[0], ground[1], ground[2], 1)
      lay(pixels, offset, haze[0], haze[1], haze[2], 0.3 * (values[column] as number))
    }
    yield
  }
}

/** One large body off the middle, a second that answers it, smaller ones along a curve between them, thin lines last. */
function planShapes(scene: Scene, aspect: number): readonly Shape[] {
  const random = scene.random.fork('orbs')
  const side = random.pick([0.36, 0.64])
  const [bigX, bigY, bigRadius] = [side * aspect, random.between(0.38, 0.58), random.between(0.24, 0.34)]
  const answerX = (1 - side + random.between(-0.08, 0.08)) * aspect
  const answerY = 1 - bigY + random.between(-0.12, 0.12)
  const far = draw(
    scene,
    random,
    random.pick(['disc', 'half']),
    bigX + (answerX - bigX) * 1.4,
    random.pick([-0.1, 1.1]),
    0.75,
  )
  const shapes = [
    { ...far, from: mixInk(far.from, scene.palette.ground), to: scene.palette.ground, isGlass: false },
    draw(scene, random, 'rings', bigX, bigY, bigRadius * random.between(1.15, 1.4)),
    draw(scene, random, 'disc', bigX, bigY, bigRadius),
    draw(scene, random, random.pick(['disc', 'half']), answerX, answerY, bigRadius * random.between(0.45, 0.72)),
  ]
  const count = Math.round(random.integer(6, 10) * scene.detail)
  for (let i = 0; i < count; i++) {
    const t = (i + random.next()) / count
    const bow = Math.sin(t * Math.PI) * random.between(-0.35, 0.35)
    const x = bigX + (answerX - bigX) * (t * 1.7 - 0.35) + bow * 0.5
    const y = bigY + (answerY - bigY) * (t * 1.7 - 0.35) + bow
    const kind = random.pick<Shape['kind']>(['disc', 'disc', 'half', 'arc', 'arc', 'dots', 'rings'])
    shapes.push(draw(scene, random, kind, x, y, random.between(0.035, 0.17) * (kind === 'arc' ? 1.8 : 1)))
  }
  return shapes
}

function mixInk(ink: Rgb, ground: Rgb): Rgb {
  return [ink[0] * 0.35 + ground[0] * 0.65, ink[1] * 0.35 + ground[1] * 0.65, ink[2] * 0.35 + ground[2] * 0.65]
}

function draw(scene: Scene, random: Random, kind: Shape['kind'], x: number, y: number, radius: number): Shape {
  const inks = scene.palette.inks
  const from = random.pick(inks as [Rgb, ...Rgb[]])
  const others = inks.filter((ink) => ink !== from)
  const to = random.pick([others[0] ?? from, ...others.slice(1)])
  return {
    kind,
    x,
    y,
    radius,
    turn: random.pick([0, 1, 2, 3, 4, 5, 6, 7]) * (Math.PI / 4),
    from,
    to,
    isGlass: random.chance(0.35),
  }
}

function* printShape(scene: Scene, canvas: Canvas, shape: Shape): Painting {
  const { height } = canvas
  const reach = shape.radius * height + 1
  const first = Math.max(0, Math.floor(shape.y * height - reach))
  const last = Math.min(height - 1, shape.y * height + reach)
  for (let row = first; row <= last; row++) {
    printRow(scene, canvas, shape, row)
    yield
  }
}

function printRow(scene: Scene, { width, height, pixels }: Canvas, shape: Shape, row: number): void {
  const { from, to, radius, isGlass } = shape
  const cos = Math.cos(shape.turn)
  const sin = Math.sin(shape.turn)
  const dy = (row + 0.5) / height - shape.y
  const reach = Math.sqrt(Math.max(0, (radius + 1 / height) ** 2 - dy * dy))
  const last = Math.min(width - 1, (shape.x + reach) * height)
  for (let column = Math.max(0, Math.floor((shape.x - reach) * height)); column <= last; column++) {
    const dx = (column + 0.5) / height - shape.x
    const along = dx * cos + dy * sin
    const coverage = coverShape(shape, Math.sqrt(dx * dx + dy * dy), along, dy * cos - dx * sin, height)
    if (coverage <= 0) continue
    const t = 0.5 + (0.5 * along) / radius
    // Each grain is one ink or the other: a gradient of dots, as a risograph prints it.
    const share = Math.min(1, Math.max(0, (t * 1.25 - 0.12 - scene.noise.speck(column, row)) * 2 + 0.5))
    const r = from[0] + (to[0] - from[0]) * share
    const g = from[1] + (to[1] - from[1]) * share
    const b = from[2] + (to[2] - from[2]) * share
    lay(pixels, (row * width + column) * 4, r, g, b, coverage * (isGlass ? 0.25 + 0.65 * t : 1))
  }
}

/** How much of a point the shape covers: edges are one pixel soft. */
function coverShape(shape: Shape, distance: number, along: number, across: number, height: number): number {
  const disc = soften(shape.radius - distance, height)
  if (shape.kind === 'disc') return disc
  if (shape.kind === 'half') return disc * soften(across, height)
  if (shape.kind === 'arc') {
    return disc * soften(distance - shape.radius * 0.86, height) * soften(across + along * 0.4, height)
  }
  if (shape.kind === 'rings') {
    const toLine = Math.abs((distance % 0.024) - 0.012)
    return disc * soften(0.0016 - toLine, height) * smoothstep(shape.radius * 0.25, shape.radius * 0.4, distance)
  }
  const u = along - Math.round(along / 0.02) * 0.02
  const v = across - Math.round(across / 0.02) * 0.02
  return disc * soften(0.0065 * (1 - Math.abs(along) / shape.radius) - Math.sqrt(u * u + v * v), height)
}

function soften(inside: number, height: number): number {
  const coverage = 0.5 + inside * height
  return coverage < 0 ? 0 : coverage > 1 ? 1 : coverage
}
