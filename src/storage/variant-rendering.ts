import type { Sharp } from 'sharp'
import { openImage } from './image-engine.ts'
import type { VariantSpec } from './variant-spec.ts'

/** Paints the variant of an image. INSIDE never enlarges; COVER and CONTAIN give exactly the box. Metadata is dropped. */
export async function renderVariant(bytes: Uint8Array, spec: VariantSpec): Promise<Uint8Array> {
  return encode(resize(openImage(bytes), spec), spec).toBuffer()
}

/** `flatten` runs before the resizing, so what CONTAIN adds around a JPEG has to be white by itself. */
const backgroundOf = (spec: VariantSpec) => ({ r: 255, g: 255, b: 255, alpha: spec.format === 'JPEG' ? 1 : 0 })

function resize(image: Sharp, spec: VariantSpec): Sharp {
  if (spec.width === null && spec.height === null) return image
  const sides = { ...(spec.width && { width: spec.width }), ...(spec.height && { height: spec.height }) }
  switch (spec.fit) {
    case 'INSIDE':
      return image.resize({ ...sides, fit: 'inside', withoutEnlargement: true })
    case 'COVER':
      return image.resize({ ...sides, fit: 'cover' })
    case 'CONTAIN':
      return image.resize({ ...sides, fit: 'contain', background: backgroundOf(spec) })
  }
}

function encode(image: Sharp, spec: VariantSpec): Sharp {
  const quality = spec.quality === null ? {} : { quality: spec.quality }
  switch (spec.format) {
    case 'PNG':
      return image.png()
    case 'JPEG':
      return image.flatten({ background: '#ffffff' }).jpeg(quality)
    case 'WEBP':
      return image.webp(quality)
  }
}
