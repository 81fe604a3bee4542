import { describe, expect, it } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { createUrlSigner } from '../../../src/storage/signed-url.ts'
import { resolveVariant } from '../../../src/storage/variant-spec.ts'

const DAY_MS = 24 * 3600 * 1000
const NOON = Date.UTC(2026, 10, 22, 12)
const SECRET = Buffer.alloc(32, 7)
const IMAGE = { id: 'img_1', accountId: 'acc_1', blobKey: 'gen_1/11.png', mimeType: 'image/png' }

function openSigner(options: { nowMs?: number; secret?: Uint8Array; publicUrl?: string } = {}) {
  const clock = { nowMs: options.nowMs ?? NOON, now: () => clock.nowMs }
  const { secret = SECRET, publicUrl = 'https://pictures.example' } = options
  return { clock, signer: createUrlSigner({ secret, publicUrl: () => publicUrl, clock }) }
}

describe('signed URLs', () => {
  it('say which image, as what and until when', () => {
    const { signer } = openSigner()
    const variant = resolveVariant({ width: 400, height: 300, fit: 'COVER', format: 'WEBP' }, 'image/png')
    const url = signer.signImage(IMAGE, { variant })
    expect(url).toMatch(
      /^https:\/\/pictures\.example\/images\/img_1\.webp\?v=w400-h300-cover-q80&e=\d+&b=[\w-]{22}&s=[\w-]{43}$/,
    )
    const verdict = signer.verify(new URL(url))
    expect(verdict).toMatchObject({ kind: 'IMAGE', imageId: 'img_1', extension: 'webp', variant })
    expect(verdict.kind === 'IMAGE' && signer.isBoundTo(IMAGE, verdict)).toBe(true)
  })

  it('show neither the account nor the blob key', () => {
    const url = openSigner().signer.signImage(IMAGE)
    expect(url).not.toContain('acc_1')
    expect(url).not.toContain('gen_1')
  })

  it('are the same all day, so that a browser finds them in its cache', () => {
    const { signer, clock } = openSigner()
    const first = signer.signImage(IMAGE)
    clock.nowMs += 11 * 3600 * 1000
    expect(signer.signImage(IMAGE)).toBe(first)
    clock.nowMs += 2 * 3600 * 1000
    expect(signer.signImage(IMAGE)).not.toBe(first)
  })

  it('live as long as asked and a seventh more at most, seven days unless told otherwise', () => {
    const { signer } = openSigner()
    const secondsLeft = (expiresInSeconds?: number | null) => {
      const options = expiresInSeconds === undefined ? {} : { expiresInSeconds }
      const verdict = signer.verify(new URL(signer.signImage(IMAGE, options)))
      return 'secondsLeft' in verdict ? verdict.secondsLeft : 0
    }
    for (const lifeSeconds of [1, 59, 60, 3599, 3600, 86_400, 604_800, 31_536_000]) {
      expect(secondsLeft(lifeSeconds)).toBeGreaterThanOrEqual(lifeSeconds)
      expect(secondsLeft(lifeSeconds)).toBeLessThanOrEqual(lifeSeconds * (1 + 1 / 7))
    }
    expect(secondsLeft()).toBe(7.5 * 24 * 3600)
    expect(secondsLeft(null)).toBe(secondsLeft())
  })

  it.each([0, -1, 1.5, 31_536_001, Number.NaN])('cannot be made for %d seconds', (expiresInSeconds) => {
    expect(() => openSigner().signer.signImage(IMAGE, { expiresInSeconds })).toThrow(InvalidInputError)
  })

  it('expire to the second', () => {
    const { signer, clock } = openSigner({ nowMs: NOON })
    const url = new URL(signer.signImage(IMAGE))
    clock.nowMs = NOON + 7.5 * DAY_MS - 1
    expect(signer.verify(url)).toMatchObject({ kind: 'IMAGE', secondsLeft: 1 })
    clock.nowMs += 1
    expect(signer.verify(url)).toEqual({ kind: 'EXPIRED' })
  })

  it('are refused when anything was changed, added, dropped, reordered or spelt in another way', () => {
    const { signer } = openSigner()
    const variant = resolveVariant({ width: 400, format: 'WEBP' }, 'image/png')
    const url = signer.signImage(IMAGE, { variant })
    const changes = [
      url.replace('img_1', 'img_2'),
      url.replace('.webp', '.png'),
      url.replace('w400', 'w4000'),
      url.replace('v=w400', 'v=%77400'),
      url.replace('v=w400-inside-q80&', ''),
      url.replace(/e=\d/, 'e=9'),
      url.replace(/e=/, 'e=0'),
      url.replace(/b=./, 'b=~'),
      url.replace(/b=[\w-]+&/, ''),
      url.replace(/s=.*/, ''),
      url.replace(/&s=.*/, ''),
      url.replace(/s=(.*)/, (_match, signature: string) => `s=${signature.toUpperCase()}`),
      url.slice(0, -1),
      `${url}=`,
      `${url}&x=1`,
      `${url}&e=9999999999`,
      url.replace('?', '?e=9999999999&'),
      url.replace(/\?(v=[^&]+)&(e=\d+)/, '?$2&$1'),
    ]
    expect(signer.verify(new URL(url)).kind).toBe('IMAGE')
    for (const changed of changes) {
      expect(changed).not.toBe(url)
      expect(signer.verify(new URL(changed)), changed).toEqual({ kind: 'FORGED' })
    }
  })

  it('are refused when each single character of the signature is another', () => {
    const { signer } = openSigner()
    const url = signer.signImage(IMAGE)
    for (let at = url.length - 43; at < url.length; at += 1) {
      const changed = `${url.slice(0, at)}${url[at] === 'A' ? 'B' : 'A'}${url.slice(at + 1)}`
      expect(signer.verify(new URL(changed))).toEqual({ kind: 'FORGED' })
    }
  })

  it('hold for no other account, blob or server', () => {
    const { signer } = openSigner()
    const url = new URL(signer.signImage(IMAGE))
    const verdict = signer.verify(url)
    if (verdict.kind !== 'IMAGE') throw new Error('The URL is not accepted.')
    expect(signer.isBoundTo({ ...IMAGE, accountId: 'acc_2' }, verdict)).toBe(false)
    expect(signer.isBoundTo({ ...IMAGE, blobKey: 'gen_1/22.png' }, verdict)).toBe(false)
    expect(openSigner({ secret: Buffer.alloc(32, 8) }).signer.verify(url)).toEqual({ kind: 'FORGED' })
  })

  it('name previews in the same way', () => {
    const { signer, clock } = openSigner()
    const url = new URL(signer.signPreview('token.3', { expiresInSeconds: 60 }))
    expect(signer.verify(url)).toMatchObject({ kind: 'PREVIEW', previewId: 'token.3' })
    expect(signer.verify(new URL(url.href.replace('token.3', 'token.4')))).toEqual({ kind: 'FORGED' })
    clock.nowMs += 66_000
    expect(signer.verify(url)).toEqual({ kind: 'EXPIRED' })
  })

  it.each([
    '/images/',
    '/images/img_1',
    '/images/img_1.svg',
    '/images/IMG_1.png',
    '/images/a/img_1.png',
    '/images/%2e%2e%2fx',
    '/images/img_1.png/',
  ])('have no path such as %s', (path) => {
    const url = new URL(`https://pictures.example${path}?e=1&b=x&s=y`)
    expect(openSigner().signer.verify(url)).toEqual({ kind: 'UNKNOWN' })
  })

  it('start with the public address, with or without a slash at its end', () => {
    const { signer } = openSigner({ publicUrl: 'https://example.com/pictor/' })
    expect(signer.signImage(IMAGE)).toMatch(/^https:\/\/example\.com\/pictor\/images\/img_1\.png\?/)
  })

  it('need a secret that is long enough', () => {
    expect(() => openSigner({ secret: Buffer.alloc(31) })).toThrow('32 bytes')
  })
})
