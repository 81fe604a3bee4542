import type { Directives } from './directives.ts'
import type { Painter, PictureOrder } from './painting/picture.ts'

const PREVIEW_SIDE = 256

/** The same picture, small and unfinished; `progress` is 0 to 1. */
export function drawPreview(
  painter: Painter,
  order: PictureOrder,
  progress: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const scale = Math.min(1, PREVIEW_SIDE / Math.max(order.width, order.height))
  const width = Math.max(1, Math.round(order.width * scale))
  const height = Math.max(1, Math.round(order.height * scale))
  // Painted ever finer and always enlarged: at first a blur in the right colours.
  const maxPaintedPixels = Math.max(64, width * height * progress ** 2)
  return painter.paint({ ...order, width, height, maxPaintedPixels, format: 'WEBP', encodingQuality: 80 }, signal)
}

const ERROR_PAGE = '<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>\n'

/** What a lost connection or a proxy makes of a picture. */
export function breakBytes(bytes: Uint8Array, how: Directives['broken']): Uint8Array {
  if (how === 'page') return Buffer.from(ERROR_PAGE)
  return how === 'cut' ? bytes.subarray(0, Math.floor(bytes.byteLength * 0.6)) : bytes
}
