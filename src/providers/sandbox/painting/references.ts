import sharp, { type OverlayOptions } from 'sharp'

/** Encoded pictures to start from. The mask lies over the first. */
export type References = { readonly pictures: readonly Uint8Array[]; readonly mask: Uint8Array | null }

type Size = { readonly width: number; readonly height: number }

/** How much of the first picture is seen through the paint, where no mask says where. */
const SHARE_OF_FIRST = 0.6
/** Side of a further picture, as a part of the shorter side of the painting. */
const PINNED = 1 / 6

/**
 * What is laid over a painting. The first picture fills it: seen through the paint, or, with a mask, as it is where the
 * mask is opaque and not at all where it is transparent. Each further one is pinned small to the lower edge.
 */
export async function layReferences({ pictures, mask }: References, size: Size): Promise<OverlayOptions[]> {
  const [first, ...others] = pictures
  if (first === undefined) return []
  const ground = await toPixels(first, size)
  const stencil = mask && (await toPixels(mask, size))
  for (let alpha = 3; alpha < ground.length; alpha += 4) {
    const share = stencil ? (stencil[alpha] as number) / 255 : SHARE_OF_FIRST
    ground[alpha] = Math.round((ground[alpha] as number) * share)
  }
  const side = Math.max(1, Math.round(Math.min(size.width, size.height) * PINNED))
  const gap = Math.floor(side / 4)
  const pinned = await Promise.all(others.map((picture) => toPixels(picture, { width: side, height: side })))
  return [
    { input: ground, raw: { ...size, channels: 4 }, left: 0, top: 0 },
    ...pinned.map((input, place) => ({
      input,
      raw: { width: side, height: side, channels: 4 as const },
      left: gap + place * (side + gap),
      top: size.height - side - gap,
    })),
  ]
}

/** Four bytes a pixel, not premultiplied; what does not fit is cut off. */
function toPixels(picture: Uint8Array, { width, height }: Size): Promise<Buffer> {
  return sharp(picture).resize(width, height, { fit: 'cover' }).toColourspace('srgb').ensureAlpha().raw().toBuffer()
}
