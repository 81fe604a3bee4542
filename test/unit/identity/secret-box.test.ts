import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSecretBox, type SealOwner } from '../../../src/identity/secret-box.ts'
import { Secret } from '../../../src/secret.ts'

const OLD = 'the secret of last year, of 32 bytes and more'
const NEW = 'the secret of this year, of 32 bytes and more'
const OWNER: SealOwner = { accountId: 'acc_1', provider: 'flux', generationId: null }

function boxOf(secret: string, ...previous: readonly string[]) {
  return createSecretBox({ secret: new Secret(secret), previous: previous.map((text) => new Secret(text)) })
}

const seal = (text = 'bfl-key', owner = OWNER, box = boxOf(NEW)) => box.seal(new Secret(text), owner)
const open = (sealed: string, owner = OWNER, box = boxOf(NEW)) => box.open(sealed, owner)?.reveal()

describe('a sealed secret', () => {
  it('opens for its owner, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(open(seal(text.toWellFormed()))).toBe(text.toWellFormed())
      }),
    )
  })

  it('says its version and nothing of what it holds', () => {
    const sealed = seal('a-key-of-the-caller')
    expect(sealed).toMatch(/^v1\.[\w-]{8}\.[\w-]+$/)
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url')
    expect(bytes.length).toBe(12 + 'a-key-of-the-caller'.length + 16)
    expect(bytes.includes('a-key')).toBe(false)
  })

  it('is another one each time', () => {
    const many = Array.from({ length: 100 }, () => seal())
    expect(new Set(many).size).toBe(100)
    expect(new Set(many.map((sealed) => sealed.split('.')[2]?.slice(0, 16))).size).toBe(100)
  })

  it.each<[string, SealOwner]>([
    ['another account', { ...OWNER, accountId: 'acc_2' }],
    ['another provider', { ...OWNER, provider: 'openai' }],
    ['a generation', { ...OWNER, generationId: 'gen_1' }],
    ['an owner whose names run into one another', { accountId: 'acc_1","flux', provider: '', generationId: null }],
  ])('does not open in the row of %s', (_, owner) => {
    expect(open(seal(), owner)).toBeUndefined()
    expect(open(seal('bfl-key', owner))).toBeUndefined()
    expect(open(seal('bfl-key', owner), owner)).toBe('bfl-key')
  })

  it('does not open once any bit of it was changed', () => {
    const sealed = seal()
    const [version, id, body = ''] = sealed.split('.')
    const bytes = Buffer.from(body, 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      const altered = Buffer.from(bytes)
      altered[index] = (altered[index] ?? 0) ^ 1
      expect(open([version, id, altered.toString('base64url')].join('.'))).toBeUndefined()
    }
  })

  it('does not open cut short, lengthened, emptied or replaced by something else', () => {
    const sealed = seal()
    const [, id] = sealed.split('.')
    const short = [sealed.slice(0, -1), sealed.slice(0, -8), `v1.${id}.`, `v1.${id}.AAAA`, `v1.${id}`]
    const others = ['', 'v1', sealed.replace('v1', 'v2'), `${sealed}AAAA`, `x${sealed}`, `${sealed}\n`, '\0', 'bfl-key']
    for (const text of [...short, ...others]) expect(open(text), text).toBeUndefined()
  })

  it('does not open under a tag of fewer bytes', () => {
    const [version, id, body = ''] = seal().split('.')
    const bytes = Buffer.from(body, 'base64url')
    for (const cut of [4, 8, 12]) {
      expect(open([version, id, bytes.subarray(0, -cut).toString('base64url')].join('.'))).toBeUndefined()
    }
  })

  it('prints itself nowhere when it is open', () => {
    expect(JSON.stringify({ key: boxOf(NEW).open(seal(), OWNER) })).toBe('{"key":"[secret]"}')
  })
})

describe('the secret of the server', () => {
  it('is needed to open', () => {
    expect(open(seal(), OWNER, boxOf(OLD))).toBeUndefined()
  })

  it('may be an earlier one, which opens and seals nothing', () => {
    const sealed = seal('bfl-key', OWNER, boxOf(OLD))
    const rotated = boxOf(NEW, OLD)
    expect(open(sealed, OWNER, rotated)).toBe('bfl-key')
    expect(rotated.isCurrent(sealed)).toBe(false)
    const anew = rotated.seal(new Secret('bfl-key'), OWNER)
    expect(rotated.isCurrent(anew)).toBe(true)
    expect(open(anew, OWNER, boxOf(NEW))).toBe('bfl-key')
    expect(open(anew, OWNER, boxOf(OLD))).toBeUndefined()
  })

  it('may be one of several earlier ones', () => {
    const sealed = seal('bfl-key', OWNER, boxOf('the very first secret of 32 bytes and more'))
    expect(open(sealed, OWNER, boxOf(NEW, OLD, 'the very first secret of 32 bytes and more'))).toBe('bfl-key')
  })
})

describe('a digest', () => {
  const digestsOf = (text: string, box = boxOf(NEW)) => box.digests(new Secret(text))

  it('is the same for the same secret, and another for another', () => {
    expect(digestsOf('one')).toEqual(digestsOf('one'))
    expect(digestsOf('one')).not.toEqual(digestsOf('two'))
  })

  it('hangs on the secret of the server, earlier ones behind the current one', () => {
    expect(digestsOf('one', boxOf(OLD))).not.toEqual(digestsOf('one'))
    expect(digestsOf('one', boxOf(NEW, OLD))).toEqual([...digestsOf('one'), ...digestsOf('one', boxOf(OLD))])
  })

  it('does not hold the text', () => {
    const text = randomBytes(6).toString('hex')
    expect(digestsOf(text).join()).not.toContain(text)
  })
})
