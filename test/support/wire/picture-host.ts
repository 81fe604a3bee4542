import { cutPicture, type PictureFormat } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireSetting } from './wire-server.ts'

/** Where a vendor puts finished pictures: on another host of its own or, with `private_url`, where nobody may look. */
export function pictureHostOf(mode: WireMode, secondOrigin: WireSetting['secondOrigin']): string {
  return mode.name === 'private_url' ? 'http://10.1.2.3' : secondOrigin()
}

/** The picture; with `broken`, without its end. */
export function showPicture(bytes: Buffer, format: PictureFormat, mode: WireMode): WireReply {
  return { headers: { 'content-type': `image/${format}` }, body: breakIfAsked(bytes, mode) }
}

export function breakIfAsked(bytes: Buffer, mode: WireMode): Buffer {
  return mode.name === 'broken' ? cutPicture(bytes) : bytes
}

/** As a store of objects says that there is none, or that it is nobody's to see. */
export function denyPicture(status: 403 | 404, code: string): WireReply {
  return { status, headers: { 'content-type': 'application/xml' }, body: `<Error>${code}</Error>` }
}
