import type { Canvas, Painting } from './canvas.ts'
import type { Raster } from './finish.ts'
import type { Scene } from './scene.ts'

const PAPER = [243, 236, 221] as const
const INK = [38, 34, 40] as const

/** Cuts the picture into hatching: one set of lines for the light parts, a second and a third across it for the dark. */
export function* etchRaster(scene: Scene, canvas: Canvas, raster: Raster): Painting {
  const { width, height } = canvas
  const pitch = Math.max(2.6, height / (150 + 60 * scene.detail))
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const ink = inkAt(scene, canvas, row, column, pitch)
      const target = (row * width + column) * raster.channels
      const tooth = 1 - 0.05 * scene.noise.speck(column, row)
      raster.data[target] = (PAPER[0] + (INK[0] - PAPER[0]) * ink) * tooth
      raster.data[target + 1] = (PAPER[1] + (INK[1] - PAPER[1]) * ink) * tooth
      raster.data[target + 2] = (PAPER[2] + (INK[2] - PAPER[2]) * ink) * tooth
      if (raster.channels === 4) raster.data[target + 3] = 255
    }
    yield
  }
}

function inkAt(scene: Scene, { width, height, pixels }: Canvas, row: number, column: number, pitch: number): number {
  const margin = 0.035 * Math.min(width, height)
  const edge = Math.min(column, row, width - 1 - column, height - 1 - row) - margin
  if (edge < 0) return 0
  if (edge < Math.max(1, pitch * 0.25)) return 0.8
  const source = (row * width + column) * 4
  const light =
    0.2126 * (pixels[source] as number) +
    0.7152 * (pixels[source + 1] as number) +
    0.0722 * (pixels[source + 2] as number)
  const tone = 1 - (0.06 + 0.94 * Math.min(1, Math.max(0, light))) ** 0.34
  const wobble = scene.noise.at((column / height) * 6, (row / height) * 6) * pitch * 0.7
  const first = cut(column * 0.5 + row * 0.87 + wobble, pitch, tone * 1.5 - 0.12)
  const second = cut(column * 0.87 - row * 0.5 + wobble, pitch, tone * 1.7 - 0.75)
  const third = cut(column + wobble, pitch * 0.9, tone * 2.2 - 1.35)
  return Math.max(first, second, third) * (0.86 + 0.14 * scene.noise.speck(row, column))
}

/** A line whose width is the share of the pitch that the tone asks for. */
function cut(position: number, pitch: number, share: number): number {
  const distance = Math.abs(position / pitch - Math.round(position / pitch)) * pitch
  return Math.min(1, Math.max(0, (Math.min(0.92, share) * pitch) / 2 - distance + 0.5))
}
