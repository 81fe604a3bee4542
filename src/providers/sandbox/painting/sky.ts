import { type Canvas, lay, type Painting, shine, smoothstep } from './canvas.ts'
import { sampleGradient, stepOf } from './color.ts'
import { createField, type Field } from './field.ts'
import type { Scene } from './scene.ts'

/** Lengths in picture heights; x runs from 0 to the aspect ratio. */
export type Sun = { readonly x: number; readonly y: number; readonly radius: number }

/** Gradient, clouds and light down to `floor`, a row for each column; without the ground, the disc alone. */
export function* paintSky(
  scene: Scene,
  canvas: Canvas,
  horizon: number,
  sun: Sun | null,
  floor: Float32Array,
): Painting {
  const { noise, detail } = scene
  const octaves = detail < 1 ? 3 : detail > 1 ? 5 : 4
  const clouds = createField(canvas.width, canvas.height, (x, y) => noise.clouds(x * 1.6 + y * 0.7, y * 6.5, octaves))
  const rows = Math.min(canvas.height, Math.ceil(floor.reduce((deepest, row) => Math.max(deepest, row), 0)))
  for (let row = 0; row < rows; row++) {
    if (!scene.transparent) paintAir(scene, canvas, row, horizon, sun, clouds, floor)
    if (sun) paintDisc(scene, canvas, row, sun)
    yield
  }
}

function paintAir(
  scene: Scene,
  { width, height, pixels }: Canvas,
  row: number,
  horizon: number,
  sun: Sun | null,
  clouds: Field,
  floor: Float32Array,
): void {
  const { palette, noise } = scene
  const y = (row + 0.5) / height
  const cover = noise.along(91.7) * 0.25 + 0.05
  const cloudValues = clouds.row(row)
  const [cloudR, cloudG, cloudB] = palette.mood === 'night' ? sampleGradient(palette.sky, 0.9) : palette.light
  const [hazeR, hazeG, hazeB] = palette.haze
  const strength = palette.mood === 'night' ? 0.35 : palette.mood === 'dusk' ? 0.4 : 0.75
  const altitude = 1 - smoothstep(0, 1, y / horizon)
  const thickness = strength * smoothstep(0, 0.25, y / horizon)
  for (let column = 0; column < width; column++) {
    if (row > (floor[column] as number)) continue
    const x = (column + 0.5) / height
    const cloud = cloudValues[column] as number
    const step = stepOf((y / horizon) * 0.97 + cloud * 0.03)
    const body = smoothstep(0.2 - cover, 0.75, cloud) * thickness
    const offset = (row * width + column) * 4
    lay(
      pixels,
      offset,
      palette.sky[step] as number,
      palette.sky[step + 1] as number,
      palette.sky[step + 2] as number,
      1,
    )
    if (body > 0.002) {
      lay(pixels, offset, hazeR, hazeG, hazeB, body * 0.6)
      lay(pixels, offset, cloudR, cloudG, cloudB, body * altitude * 0.8)
    }
    if (sun) addGlow(scene, pixels, offset, Math.sqrt((x - sun.x) ** 2 + ((y - sun.y) * 1.15) ** 2), sun.radius)
  }
}

function addGlow(scene: Scene, pixels: Float32Array, offset: number, distance: number, radius: number): void {
  const r = scene.palette.sun[0]
  const g = scene.palette.sun[1]
  const b = scene.palette.sun[2]
  const wide = Math.exp(-distance / (radius * 4.5))
  const close = distance > radius * 4 ? 0 : Math.exp(-Math.max(0, distance - radius) / (radius * 0.6))
  if (scene.palette.mood === 'pale') {
    lay(pixels, offset, r, g, b, 0.16 * wide + 0.06 * close)
    return
  }
  const light = (scene.palette.mood === 'night' ? 0.14 : 0.3) * (wide + 0.6 * close)
  shine(pixels, offset, r * light, g * light, b * light)
}

function paintDisc(scene: Scene, canvas: Canvas, row: number, sun: Sun): void {
  const { width, height, pixels } = canvas
  const y = (row + 0.5) / height
  if (Math.abs(y - sun.y) > sun.radius + 2 / height) return
  const [r, g, b] = scene.palette.sun
  const isMoon = scene.palette.mood === 'night'
  for (let column = 0; column < width; column++) {
    const x = (column + 0.5) / height
    const inside = 0.5 + (sun.radius - Math.sqrt((x - sun.x) ** 2 + (y - sun.y) ** 2)) * height
    if (inside <= 0) continue
    const seas = isMoon ? 0.86 + 0.2 * scene.noise.clouds(x / sun.radius, y / sun.radius, 3) : 1
    lay(pixels, (row * width + column) * 4, r * seas, g * seas, b * seas, Math.min(1, inside))
  }
}
