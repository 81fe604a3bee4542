import type { Canvas, Painting } from './canvas.ts'
import type { Scene } from './scene.ts'

/** Eight bits a channel, three or four channels a pixel, row by row: what an encoder takes. */
export type Raster = {
  readonly width: number
  readonly height: number
  readonly channels: 3 | 4
  readonly data: Uint8Array
}

const STEPS = 8192
const TO_SRGB = Float32Array.from({ length: STEPS + 1 }, (_, i) => {
  const light = (i / STEPS) * 1.5
  const linear = light > 0.8 ? 0.8 + 0.2 * (1 - Math.exp(-(light - 0.8) / 0.2)) : light
  return 255 * (linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055)
})

export function createRaster(canvas: Canvas, transparent: boolean): Raster {
  const channels = transparent ? 4 : 3
  const { width, height } = canvas
  return { width, height, channels, data: new Uint8Array(width * height * channels) }
}

/** Light falls off towards the corners; contrast, grain and the way back from linear light to sRGB. */
export function* developRaster(scene: Scene, canvas: Canvas, raster: Raster): Painting {
  const { width, height, pixels } = canvas
  const { data, channels } = raster
  const grainSize = 6 + 4 * Math.min(1, scene.detail)
  const falloff = channels === 4 ? 0 : 0.3
  for (let row = 0; row < height; row++) {
    const y = row / height - 0.5
    for (let column = 0; column < width; column++) {
      const source = (row * width + column) * 4
      const target = (row * width + column) * channels
      const alpha = pixels[source + 3] as number
      if (alpha <= 0) continue
      const x = column / width - 0.5
      const corner = x * x + y * y
      const scale = (1 - falloff * corner * (0.5 + corner)) / alpha
      const grain = (scene.noise.speck(column, row) - 0.5) * grainSize
      data[target] = toByte((pixels[source] as number) * scale, scene.contrast, grain)
      data[target + 1] = toByte((pixels[source + 1] as number) * scale, scene.contrast, grain)
      data[target + 2] = toByte((pixels[source + 2] as number) * scale, scene.contrast, grain)
      if (channels === 4) data[target + 3] = alpha >= 1 ? 255 : alpha * 255
    }
    yield
  }
}

/** Light to 1.5 is told apart: above 0.8 it is compressed instead of cut, so that glows keep their colour. */
function toByte(linear: number, contrast: number, grain: number): number {
  const step = linear <= 0 ? 0 : linear >= 1.5 ? STEPS : (linear * (STEPS / 1.5)) | 0
  const byte = ((TO_SRGB[step] as number) - 128) * contrast + 128.5 + grain
  return byte <= 0 ? 0 : byte >= 255 ? 255 : byte
}
