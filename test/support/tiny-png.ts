import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

/** A whole PNG of 4 × 4 pixels in one colour, another one for each number up to 2^24. */
export function createTinyPng(color: number): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(4, 0)
  header.writeUInt32BE(4, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const pixel = [(color >> 16) & 0xff, (color >> 8) & 0xff, color & 0xff]
  const line = [0, ...pixel, ...pixel, ...pixel, ...pixel]
  const pixels = deflateSync(Buffer.from([...line, ...line, ...line, ...line]))
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.byteLength, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
