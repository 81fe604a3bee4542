import { cutPicture, type PictureFormat } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireSetting } from './wire-server.ts'

/** Where a vendor puts finished pictures: on another host of its own or, with `private_url`, where nobody may look. */
export function pictureHostOf(mode: WireMode, secondOrigin: WireSetting['secondOrigin']): string {
  return mode.name === 'private_url' ? 'http://10.1.2.3' : secondOrigin()
}

/**
 * The picture; with `broken`, without its end; with `endless`, bytes that never end; with `drip`, one byte and then
 * nothing; with `page`, a page of HTML that says that it is a picture.
 */
export function showPicture(bytes: Buffer, format: PictureFormat, mode: WireMode): WireReply {
  const odd = ODD_PICTURES[mode.name]
  if (odd) return { headers: { 'content-type': `image/${format}` }, body: odd() }
  return { headers: { 'content-type': `image/${format}` }, body: breakIfAsked(bytes, mode) }
}

const ODD_PICTURES: Readonly<Record<string, () => NonNullable<WireReply['body']>>> = {
  endless: async function* () {
    const piece = Buffer.alloc(1024 * 1024)
    for (;;) {
      yield piece
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  },
  drip: async function* () {
    yield Buffer.alloc(1)
    await new Promise(() => undefined)
  },
  page: () => '<!doctype html><title>404</title>',
}

export function breakIfAsked(bytes: Buffer, mode: WireMode): Buffer {
  return mode.name === 'broken' ? cutPicture(bytes) : bytes
}

/** As a store of objects says that there is none, or that it is nobody's to see. */
export function denyPicture(status: 403 | 404, code: string): WireReply {
  return { status, headers: { 'content-type': 'application/xml' }, body: `<Error>${code}</Error>` }
}
