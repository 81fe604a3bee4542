import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.byteLength, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** A small PNG that becomes large: black and white, so that a good deflate makes kilobytes of hundreds of megapixels. */
export function makeBomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0, 0, 0, 0], 8)
  const lines = deflateSync(Buffer.alloc(Math.min(20_000_000, (Math.ceil(width / 8) + 1) * height)))
  return Buffer.concat([
    SIGNATURE,
    pngChunk('IHDR', header),
    pngChunk('IDAT', lines),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

/** 40 × 20 as stored and 20 × 40 as shown: red on the left as stored, with EXIF (camera, GPS), XMP and a profile. */
export async function makeTaggedPhoto(format: 'jpeg' | 'png' | 'webp'): Promise<Buffer> {
  const red = await sharp({ create: { width: 10, height: 20, channels: 3, background: '#f00' } })
    .png()
    .toBuffer()
  return sharp({ create: { width: 40, height: 20, channels: 3, background: '#00f' } })
    .composite([{ input: red, left: 0, top: 0 }])
    .toFormat(format)
    .withMetadata({ orientation: 6 })
    .withExifMerge({
      IFD0: { Make: 'Canon', Copyright: 'somebody' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf/></x:xmpmeta>')
    .withIccProfile('p3')
    .toBuffer()
}

export async function makeAnimatedWebp(): Promise<Buffer> {
  const frames = Buffer.from(Array.from({ length: 16 * 32 * 4 }, (_, at) => at % 251))
  return sharp(frames, { raw: { width: 16, height: 32, channels: 4, pageHeight: 16 } })
    .webp({ delay: [100, 100], loop: 0 })
    .toBuffer()
}

/** The chunk that makes a PNG an animated one stands before its first pixels. */
export async function makeAnimatedPng(): Promise<Buffer> {
  const still = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#0a0' } })
    .png()
    .toBuffer()
  const firstPixels = still.indexOf('IDAT', 0, 'latin1') - 4
  const control = pngChunk('acTL', Buffer.from('0000000200000000', 'hex'))
  return Buffer.concat([still.subarray(0, firstPixels), control, still.subarray(firstPixels)])
}
