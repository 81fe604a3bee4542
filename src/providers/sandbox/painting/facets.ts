import { type Canvas, lay, type Painting } from './canvas.ts'
import { type Rgb, sampleGradient } from './color.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'

type Point = readonly [x: number, y: number]
type Triangle = readonly [Point, Point, Point]
type Light = { readonly x: number; readonly y: number; readonly reach: number }

/** A sheet of folded triangles, small where the light falls and large away from it; or a gem of them on a ground. */
export function* paintFacets(scene: Scene, canvas: Canvas): Painting {
  const aspect = canvas.width / canvas.height
  const random = scene.random.fork('facets')
  const light = {
    x: random.pick([0.32, 0.5, 0.68]) * aspect,
    y: random.between(0.24, 0.5),
    reach: random.between(0.3, 0.5),
  }
  const isGem = scene.transparent || random.chance(0.35)
  if (isGem && !scene.transparent) yield* paintBackdrop(scene, canvas, light)
  const outline = createGem(scene, random, aspect)
  for (const triangle of divide(triangulate(aspect), light, scene, random)) {
    const [x, y] = centerOf(triangle)
    if (isGem && !outline(x, y)) continue
    fillTriangle(scene, canvas, triangle, shadeFacet(scene, random, triangle, light))
    yield
  }
}

function* paintBackdrop(scene: Scene, { width, height, pixels }: Canvas, light: Light): Painting {
  const { ground, haze } = scene.palette
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const offset = (row * width + column) * 4
      const distance = Math.sqrt(((column + 0.5) / height - light.x) ** 2 + ((row + 0.5) / height - light.y) ** 2)
      lay(pixels, offset, ground[0], ground[1], ground[2], 1)
      lay(pixels, offset, haze[0], haze[1], haze[2], 0.55 * Math.exp(-distance * 2.4))
    }
    yield
  }
}

/** Is a point inside? A polygon of few corners around the middle. */
function createGem(scene: Scene, random: Random, aspect: number): (x: number, y: number) => boolean {
  const corners = random.integer(6, 9)
  const radii = Array.from({ length: corners }, () => random.between(0.28, 0.43) * Math.min(1, aspect))
  const turn = random.between(0, Math.PI)
  return (x, y) => {
    const [dx, dy] = [x - aspect / 2, (y - 0.5) * 0.92]
    const position = (((((Math.atan2(dy, dx) + turn) / (2 * Math.PI)) % 1) + 1) % 1) * corners
    const index = Math.floor(position)
    const [from, to] = [radii[index % corners] ?? 0.3, radii[(index + 1) % corners] ?? 0.3]
    return Math.hypot(dx, dy) < from + (to - from) * (position - index) + 0.02 * scene.noise.at(x * 6, y * 6)
  }
}

function triangulate(aspect: number): readonly Triangle[] {
  const [left, top, right, low] = [-0.1, -0.1, aspect + 0.1, 1.1]
  const [a, b, c, d]: readonly Point[] = [
    [left, top],
    [right, top],
    [right, low],
    [left, low],
  ]
  return a && b && c && d
    ? [
        [a, b, c],
        [a, c, d],
      ]
    : []
}

/** Splits at the longest side until each triangle is as small as its place wants it. */
function divide(triangles: readonly Triangle[], light: Light, scene: Scene, random: Random): readonly Triangle[] {
  const done: Triangle[] = []
  const open = [...triangles]
  for (let triangle = open.pop(); triangle; triangle = open.pop()) {
    const [x, y] = centerOf(triangle)
    const nearness = Math.exp(-(((x - light.x) ** 2 + (y - light.y) ** 2) / light.reach ** 2))
    const wanted = (0.0115 - 0.0095 * nearness) / scene.detail
    if (areaOf(triangle) < wanted * random.between(0.6, 2.2)) done.push(triangle)
    else open.push(...split(triangle, random.between(0.36, 0.64)))
  }
  return done
}

function split([a, b, c]: Triangle, t: number): readonly [Triangle, Triangle] {
  const [ab, bc, ca] = [lengthOf(a, b), lengthOf(b, c), lengthOf(c, a)]
  if (bc >= ab && bc >= ca) return split([b, c, a], t)
  if (ca > ab) return split([c, a, b], t)
  const middle: Point = [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]
  return [
    [a, middle, c],
    [middle, b, c],
  ]
}

/** Folded paper: hills of noise tilt each facet, and the light makes the tilt seen. */
function shadeFacet(scene: Scene, random: Random, triangle: Triangle, light: Light): Rgb {
  const { noise, palette } = scene
  const [x, y] = centerOf(triangle)
  const tiltX = noise.at(x * 2.2 + 10, y * 2.2) + random.between(-0.6, 0.6)
  const tiltY = noise.at(x * 2.2, y * 2.2 + 30) + random.between(-0.6, 0.6)
  const distance = Math.hypot(x - light.x, y - light.y)
  const [toX, toY] = [(light.x - x) / (distance + 0.2), (light.y - y) / (distance + 0.2)]
  const lit = 0.5 + 0.5 * (tiltX * toX + tiltY * toY)
  const glow = Math.exp(-distance / (light.reach * 1.1))
  const t = -0.04 + 0.46 * lit + 0.64 * glow + 0.3 * noise.at(x * 1.3 + 70, y * 1.3)
  const [r, g, b] = random.chance(0.035)
    ? random.pick([...palette.inks] as [Rgb, ...Rgb[]])
    : sampleGradient(palette.ramp, Math.min(0.97, t))
  const brightness = 0.82 + 0.36 * lit
  return [r * brightness, g * brightness, b * brightness]
}

/** Half a pixel over its edges, so that nothing shows between neighbours; lighter towards its first corner. */
function fillTriangle(scene: Scene, canvas: Canvas, triangle: Triangle, color: Rgb): void {
  const { width, height } = canvas
  const [a, b, c] = triangle.map(([x, y]) => [x * height, y * height] as const)
  if (!a || !b || !c) return
  const facet = {
    edges: [edgeOf(a, b, c), edgeOf(b, c, a), edgeOf(c, a, b)] as const,
    size: Math.sqrt(areaOf(triangle)) * height,
    left: Math.max(0, Math.floor(Math.min(a[0], b[0], c[0]) - 1)),
    right: Math.min(width - 1, Math.max(a[0], b[0], c[0]) + 1),
    color,
  }
  const last = Math.min(height - 1, Math.max(a[1], b[1], c[1]) + 1)
  const first = Math.max(0, Math.floor(Math.min(a[1], b[1], c[1]) - 1))
  for (let row = first; row <= last; row++) fillRow(scene, canvas, facet, row)
}

type Facet = {
  readonly edges: readonly [Edge, Edge, Edge]
  /** About the length of a side, in pixels; `left` and `right` are columns. */
  readonly size: number
  readonly left: number
  readonly right: number
  readonly color: Rgb
}

function fillRow(scene: Scene, { width, height, pixels }: Canvas, facet: Facet, row: number): void {
  const { edges, size, right } = facet
  const r = facet.color[0]
  const g = facet.color[1]
  const b = facet.color[2]
  const hair = 0.0011 * height
  for (let column = facet.left; column <= right; column++) {
    const first = inside(edges[0], column + 0.5, row + 0.5)
    const depth = Math.min(first, inside(edges[1], column + 0.5, row + 0.5), inside(edges[2], column + 0.5, row + 0.5))
    if (depth <= -1) continue
    const sheen = 0.94 + 0.16 * Math.min(1, first / size) + (depth < hair ? 0.1 : 0)
    const paper = sheen + 0.03 * (scene.noise.speck(column, row) - 0.5)
    lay(pixels, (row * width + column) * 4, r * paper, g * paper, b * paper, Math.min(1, depth + 1))
  }
}

type Edge = readonly [nx: number, ny: number, offset: number]

function edgeOf(from: Point, to: Point, opposite: Point): Edge {
  const length = lengthOf(from, to) || 1
  const [nx, ny] = [(from[1] - to[1]) / length, (to[0] - from[0]) / length]
  const offset = -(nx * from[0] + ny * from[1])
  return nx * opposite[0] + ny * opposite[1] + offset < 0 ? [-nx, -ny, -offset] : [nx, ny, offset]
}

function inside(edge: Edge, x: number, y: number): number {
  return edge[0] * x + edge[1] * y + edge[2]
}

function centerOf([a, b, c]: Triangle): Point {
  return [(a[0] + b[0] + c[0]) / 3, (a[1] + b[1] + c[1]) / 3]
}

function areaOf([a, b, c]: Triangle): number {
  return Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2
}

function lengthOf(a: Point, b: Point): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1])
}
