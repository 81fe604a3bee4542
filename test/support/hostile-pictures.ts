import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'

const SIGNATURE_BYTES = 8
const MIB = 1024 * 1024

/** A whole PNG with one more chunk behind its header. */
export async function makePngWith(type: string, data: Buffer): Promise<Buffer> {
  const plain = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#0a0' } })
    .png()
    .toBuffer()
  const afterHeader = SIGNATURE_BYTES + 4 + 4 + 13 + 4
  return Buffer.concat([plain.subarray(0, afterHeader), chunkOf(type, data), plain.subarray(afterHeader)])
}

function chunkOf(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([size, body, sum])
}

/** A colour profile that is small as it comes and `sizeBytes` once it is unpacked. */
export function makePackedProfile(sizeBytes: number): Buffer {
  return Buffer.concat([Buffer.from('evil\0\0', 'latin1'), deflateSync(Buffer.alloc(sizeBytes))])
}

/** A comment that is small as it comes and `sizeBytes` once it is unpacked. */
export function makePackedComment(sizeBytes: number): Buffer {
  return Buffer.concat([Buffer.from('Comment\0\0', 'latin1'), deflateSync(Buffer.alloc(sizeBytes, 'x'))])
}

/** A progressive JPEG whose last scan comes again and again: each goes over the whole picture. */
export async function makeManyScans(side: number, scans: number): Promise<Buffer> {
  const plain = await sharp({ create: { width: side, height: side, channels: 3, background: '#a40' } })
    .jpeg({ progressive: true })
    .toBuffer()
  const lastScan = plain.lastIndexOf(Buffer.from('ffda', 'hex'))
  const end = plain.length - 2
  const again = Array.from({ length: scans }, () => plain.subarray(lastScan, end))
  return Buffer.concat([plain.subarray(0, end), ...again, plain.subarray(end)])
}

/** A JPEG whose header says that it is as large as one can be. */
export async function makeHugeJpeg(): Promise<Buffer> {
  const plain = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#a40' } })
    .jpeg()
    .toBuffer()
  const frame = plain.indexOf(Buffer.from('ffc0', 'hex'))
  plain.writeUInt16BE(65_500, frame + 5)
  plain.writeUInt16BE(65_500, frame + 7)
  return plain
}

/** A WebP whose canvas is as large as one can be. */
export async function makeHugeWebp(): Promise<Buffer> {
  const plain = await sharp({ create: { width: 16, height: 16, channels: 4, background: '#a408' } })
    .webp({ lossless: true })
    .toBuffer()
  const extended = Buffer.alloc(18)
  extended.write('VP8X', 0, 'latin1')
  extended.writeUInt32LE(10, 4)
  extended.fill(0xff, 12, 18)
  const whole = Buffer.concat([plain.subarray(0, 12), extended, plain.subarray(12)])
  whole.writeUInt32LE(whole.length - 8, 4)
  return whole
}

export function makeManyFrames(frames: number): Buffer {
  const head = Buffer.from('47494638396101000100800000000000ffffff', 'hex')
  const frame = Buffer.from('21f9040000000000' + '2c00000000010001000002024401' + '00', 'hex')
  return Buffer.concat([head, ...Array.from({ length: frames }, () => frame), Buffer.from(';')])
}

/** What calls itself a picture and is none that we take, by what it is. */
export const NO_PICTURES: Readonly<Record<string, Buffer>> = {
  'SVG with a script': Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
  'SVG with entities': Buffer.from(
    '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg"><text>&b;</text></svg>',
  ),
  'SVG that asks for more': Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="http://127.0.0.1/"/></svg>',
  ),
  HTML: Buffer.from('<!doctype html><script>alert(1)</script>'),
  PDF: Buffer.from('%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj'),
  PostScript: Buffer.from('%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file'),
  TIFF: Buffer.from('49492a00080000000000', 'hex'),
  BigTIFF: Buffer.from('49492b000800000010000000000000000000', 'hex'),
  HEIC: Buffer.from('0000001866747970686569630000000068656963', 'hex'),
  AVIF: Buffer.from('0000001c6674797061766966000000006176696600000000', 'hex'),
  JXL: Buffer.from('0000000c4a584c200d0a870a', 'hex'),
  BMP: Buffer.from('424d460000000000000036000000', 'hex'),
  ICO: Buffer.from('00000100010010100000', 'hex'),
  ZIP: Buffer.from('504b0304140000000800', 'hex'),
  gzip: Buffer.from('1f8b0800000000000003', 'hex'),
  MVG: Buffer.from('push graphic-context\nimage over 0,0 0,0 "https://127.0.0.1/"'),
  'PNG signature alone': Buffer.from('89504e470d0a1a0a', 'hex'),
  'JPEG signature alone': Buffer.from('ffd8ffe0', 'hex'),
  'WebP signature alone': Buffer.from('RIFF\0\0\0\0WEBP', 'latin1'),
  nothing: Buffer.alloc(0),
  'twenty mebibytes and a byte': Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(20 * MIB)]),
}
