import { type Canvas, lay, type Painting, shine } from './canvas.ts'
import { sampleGradient } from './color.ts'
import type { Scene } from './scene.ts'
import type { Sun } from './sky.ts'

/** Water from `shore` down: it mirrors what is painted above it, broken by waves that grow towards the viewer. */
export function* paintWater(scene: Scene, canvas: Canvas, shore: number, sun: Sun | null): Painting {
  const { noise, palette } = scene
  const { width, height, pixels } = canvas
  const deep = sampleGradient(palette.land, palette.mood === 'pale' ? 0.35 : 0.75)
  for (let row = Math.round(shore * height); row < height; row++) {
    const y = (row + 0.5) / height
    const depth = (y - shore) / (1 - shore)
    const stretch = 22 / (0.12 + depth)
    for (let column = 0; column < width; column++) {
      const x = (column + 0.5) / height
      const wave = noise.clouds(x * (2.5 + 5 / (0.25 + depth * 3)), Math.log(0.04 + depth) * stretch * 0.35 + y * 30, 3)
      const offset = (row * width + column) * 4
      const mirrored = Math.round((shore - (y - shore) * 0.85 + wave * (0.012 + 0.07 * depth)) * height)
      const sideways = Math.round(column + wave * 0.012 * height)
      const source =
        (clamp(mirrored, row < 1 ? 0 : Math.round(shore * height) - 1) * width + clamp(sideways, width - 1)) * 4
      const rest = scene.transparent ? (pixels[source + 3] as number) : 1
      lay(pixels, offset, pixels[source] as number, pixels[source + 1] as number, pixels[source + 2] as number, rest)
      lay(pixels, offset, deep[0], deep[1], deep[2], 0.22 + 0.42 * depth + 0.12 * wave)
      if (sun) glitter(scene, pixels, offset, x - sun.x, depth, wave)
    }
    yield
  }
}

function glitter(scene: Scene, pixels: Float32Array, offset: number, aside: number, depth: number, wave: number): void {
  const spread = 0.035 + depth * 0.13
  const path = Math.exp(-((aside / spread) ** 2))
  const spark = path * Math.max(0, wave * 1.6 + 0.1) ** 1.5
  if (spark < 0.01) return
  const [r, g, b] = scene.palette.sun
  const light = spark * (scene.palette.mood === 'night' ? 0.7 : 0.95)
  if (scene.palette.mood === 'pale') lay(pixels, offset, r, g, b, Math.min(0.7, light))
  else shine(pixels, offset, r * light, g * light, b * light)
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(max, value))
}
