import { type Canvas, lay, type Painting, shine } from './canvas.ts'
import type { Rgb } from './color.ts'
import type { Scene } from './scene.ts'

/** Stars above `horizon`, a few of them bright. */
export function* scatterStars(scene: Scene, canvas: Canvas, horizon: number): Painting {
  const random = scene.random.fork('stars')
  const aspect = canvas.width / canvas.height
  const count = Math.round(260 * aspect * scene.detail)
  for (let i = 0; i < count; i++) {
    const y = random.next() ** 1.3 * horizon
    const brightness = random.next() ** 5
    const radius = 0.0007 + 0.0016 * brightness
    const light = 0.25 + 0.75 * brightness
    dot(canvas, random.next() * aspect, y, radius, scene.palette.light, light * (1 - (y / horizon) ** 3), true)
    if (i % 50 === 0) yield
  }
}

/** Flakes in the air: most small, some near and out of focus. */
export function* scatterSnow(scene: Scene, canvas: Canvas): Painting {
  const random = scene.random.fork('snow')
  const aspect = canvas.width / canvas.height
  const count = Math.round(330 * aspect * scene.detail)
  for (let i = 0; i < count; i++) {
    const near = random.next() ** 4
    const radius = 0.0012 + 0.0075 * near
    dot(canvas, random.next() * aspect, random.next(), radius, [0.97, 0.98, 1], 0.8 - 0.55 * near, false)
    if (i % 50 === 0) yield
  }
}

/** A soft dot: position and radius in picture heights. */
function dot(
  canvas: Canvas,
  x: number,
  y: number,
  radius: number,
  [r, g, b]: Rgb,
  strength: number,
  shines: boolean,
): void {
  const { width, height, pixels } = canvas
  const size = Math.max(radius * height, 0.5)
  const visible = strength * Math.min(1, (radius * height) / 0.5)
  const [centerX, centerY, reach] = [x * height, y * height, Math.ceil(size * 1.5)]
  for (let row = Math.max(0, Math.floor(centerY - reach)); row <= Math.min(height - 1, centerY + reach); row++) {
    for (
      let column = Math.max(0, Math.floor(centerX - reach));
      column <= Math.min(width - 1, centerX + reach);
      column++
    ) {
      const distance = Math.hypot(column + 0.5 - centerX, row + 0.5 - centerY) / size
      const coverage = visible * Math.max(0, Math.min(1, 1.5 - distance))
      const offset = (row * width + column) * 4
      if (shines) shine(pixels, offset, r * coverage, g * coverage, b * coverage)
      else lay(pixels, offset, r, g, b, coverage)
    }
  }
}
