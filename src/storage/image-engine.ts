import sharp, { type Metadata, type Sharp } from 'sharp'

/** More pixels than this are refused from the header, before any memory is taken for them. */
export const MAX_PIXELS = 64e6
const TIMEOUT_SECONDS = 20

/**
 * Settings of the whole process; call it once at start. Only loaders of what we store stay: a file that calls itself SVG,
 * PDF, TIFF or anything else reaches no parser. The operation cache never hits for bytes in memory and only holds them.
 */
export function configureImageEngine(): void {
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: ['VipsForeignLoadPng', 'VipsForeignLoadJpeg', 'VipsForeignLoadWebp'] })
  sharp.cache(false)
}

/** Upright as viewers show it (EXIF orientation applied), one page, and an error where the bytes are not whole. */
export function openImage(bytes: Uint8Array): Sharp {
  return sharp(bytes, { limitInputPixels: MAX_PIXELS, pages: 1, failOn: 'error', autoOrient: true }).timeout({
    seconds: TIMEOUT_SECONDS,
  })
}

/** What the header says, of pictures of any size: nothing is decoded, and no memory is taken for pixels. */
export async function readHeader(bytes: Uint8Array): Promise<Metadata> {
  return sharp(bytes, { limitInputPixels: false, pages: 1 }).metadata()
}

/** Changes when encoders may write other bytes for the same picture. */
export function imageEngineVersion(): string {
  return `${sharp.versions.sharp}-${sharp.versions.vips}`
}
