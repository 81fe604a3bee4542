import { type Canvas, lay, type Painting, smoothstep } from './canvas.ts'
import { type Rgb, sampleGradient } from './color.ts'
import { createField } from './field.ts'
import type { Outline } from './outline.ts'
import { createRelief } from './relief.ts'
import type { Ridge } from './ridges.ts'
import type { Scene } from './scene.ts'
import type { Sun } from './sky.ts'

/** Fills what is seen of a ridge: from its crest down to `floor`, a row for each column. */
export function* paintRidge(
  scene: Scene,
  canvas: Canvas,
  ridge: Ridge,
  outline: Outline,
  sun: Sun | null,
  floor: Float32Array,
): Painting {
  const { width, height } = canvas
  const grain = 4 + ridge.depth * 8
  const texture = createField(width, height, (x, y) => scene.noise.clouds(x * grain, y * grain * 2.2, 2))
  const shade = createShader(scene, canvas, ridge, outline, sun)
  const first = Math.max(0, Math.floor(Math.min(...outline.top) * height))
  const last = Math.min(height - 1, Math.ceil(Math.max(...floor)))
  for (let row = first; row <= last; row++) {
    const values = texture.row(row)
    for (let column = 0; column < width; column++) {
      if (row > (floor[column] as number)) continue
      const coverage = outline.coverage(column, row)
      if (coverage > 0) shade(row, column, values[column] as number, coverage)
    }
    yield
  }
}

type Shader = (row: number, column: number, texture: number, coverage: number) => void

function createShader(
  scene: Scene,
  { pixels, width, height }: Canvas,
  ridge: Ridge,
  outline: Outline,
  sun: Sun | null,
): Shader {
  const { palette } = scene
  const body = sampleGradient(palette.land, ridge.depth)
  const wood = ridge.soil ? treeColor(scene, body, ridge.depth) : body
  const mist = (1 - ridge.depth) * (scene.motifs.has('mist') ? 1 : 0.75)
  const fogTop = ridge.base - ridge.amplitude * 0.55
  const rimLight = { day: 0.16, dusk: 0.24, night: 0.03, pale: 0.06 }[palette.mood] * (ridge.soil ? 0.3 : 1)
  const relief = createRelief(scene, width, height, ridge, outline, sun)
  return (row, column, texture, coverage) => {
    const offset = (row * width + column) * 4
    const x = (column + 0.5) / height
    const y = (row + 0.5) / height
    const below = y - (outline.top[column] as number)
    const facing = relief.facing(row, column, below)
    const light = 1 + 0.12 * texture + relief.strength * facing
    const color = y < (outline.soil[column] as number) + 0.004 * texture ? wood : body
    lay(pixels, offset, color[0] * light, color[1] * light, color[2] * light, coverage)
    const snow = relief.snow(column, below, texture, facing)
    if (snow > 0) lay(pixels, offset, palette.light[0], palette.light[1], palette.light[2], snow * coverage)
    if (ridge.kind === 'city') lightWindow(scene, pixels, offset, x, y, coverage, ridge)
    const fog = mist * smoothstep(fogTop, ridge.base + 0.13, y + 0.02 * texture)
    if (fog > 0.003) lay(pixels, offset, palette.haze[0], palette.haze[1], palette.haze[2], fog * coverage)
    if (sun === null || below > 0.12) return
    const rim = rimLight * Math.exp(-below * 28 - (x - sun.x) ** 2 / 0.22) * coverage
    lay(pixels, offset, palette.sun[0], palette.sun[1], palette.sun[2], rim)
  }
}

/** Trees are darker than the soil, and against snow nearly black. */
function treeColor(scene: Scene, land: Rgb, depth: number): Rgb {
  const { dark } = scene.palette
  const weight = scene.motifs.has('snow') ? 0.3 + 0.6 * depth : 0.3
  return [mix(land[0], dark[0], weight), mix(land[1], dark[1], weight), mix(land[2], dark[2], weight)]
}

function lightWindow(
  scene: Scene,
  pixels: Float32Array,
  offset: number,
  x: number,
  y: number,
  coverage: number,
  ridge: Ridge,
): void {
  const pitch = 0.006 + ridge.depth * 0.007
  const column = Math.floor(x / pitch)
  const row = Math.floor(y / (pitch * 1.3))
  const isGlass = x / pitch - column > 0.4 && y / (pitch * 1.3) - row > 0.5
  const lit = scene.noise.speck(column, row)
  const dark =
    { day: 0.97, dusk: 0.8, night: 0.76, pale: 0.97 }[scene.palette.mood] +
    0.15 * scene.noise.at(column * 0.21, row * 0.13)
  if (!isGlass || lit < dark) return
  const [r, g, b] = scene.palette.inks[3] ?? scene.palette.light
  lay(pixels, offset, r, g, b, coverage * (0.35 + 0.6 * scene.noise.speck(row, column)))
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t
}
