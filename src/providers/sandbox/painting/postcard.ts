import type { Painting } from './canvas.ts'
import type { Raster } from './finish.ts'

const CARD = [250, 247, 240] as const

/** A white border with rounded corners inside, as on a photograph that is to be sent. */
export function* borderRaster({ width, height, channels, data }: Raster): Painting {
  const border = 0.045 * Math.min(width, height)
  const corner = border * 0.6
  for (let row = 0; row < height; row++) {
    const dy = Math.max(0, Math.abs(row + 0.5 - height / 2) - (height / 2 - border - corner))
    for (let column = 0; column < width; column++) {
      const dx = Math.max(0, Math.abs(column + 0.5 - width / 2) - (width / 2 - border - corner))
      const outside = Math.sqrt(dx * dx + dy * dy) - corner
      if (outside <= -1) continue
      const share = Math.min(1, outside + 1)
      for (let channel = 0; channel < 3; channel++) {
        const at = (row * width + column) * channels + channel
        data[at] = (data[at] as number) * (1 - share) + (CARD[channel] as number) * share
      }
    }
    yield
  }
}
