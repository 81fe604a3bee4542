import { expect, it } from 'vitest'
import { hashRequest, readStoredRequest, writeStoredRequest } from '../../../src/generation/stored-request.ts'
import { Secret } from '../../../src/secret.ts'
import { makeInput } from './request-plan-fixtures.ts'

const hash = (input: Parameters<typeof makeInput>[0] = {}, parentId: string | null = null) =>
  hashRequest(makeInput(input), parentId)

it('is the same for the same request, whatever order its fields came in', () => {
  const shuffled = Object.fromEntries(Object.entries(makeInput()).reverse())
  expect(hashRequest({ ...makeInput(), ...shuffled }, null)).toBe(hash())
  expect(hash({ metadata: { a: 1, b: { c: [1, 2], d: 2 } } })).toBe(
    hash({ metadata: { b: { d: 2, c: [1, 2] }, a: 1 } }),
  )
})

it('does not count the key in, under which it is kept', () => {
  expect(hash({ idempotencyKey: 'one' })).toBe(hash({ idempotencyKey: 'two' }))
})

it('differs for whatever else is asked', () => {
  const others = [
    hash({ prompt: 'an owl' }),
    hash({ count: 2 }),
    hash({ tags: ['a', 'b'] }),
    hash({ tags: ['b', 'a'] }),
    hash({ metadata: { a: 1 } }),
    hash({ metadata: { a: '1' } }),
    hash({ metadata: [1] }),
    hash({ maxCost: '1' }),
    hash({}, 'gen_1'),
  ]
  expect(new Set([hash(), ...others]).size).toBe(others.length + 1)
})

it('differs for another key that came with the request, and without one', () => {
  const hashes = [null, 'digest of one', 'digest of two'].map((digest) => hashRequest(makeInput(), null, digest))
  expect(new Set([hash(), ...hashes]).size).toBe(3)
  expect(hashes[0]).toBe(hash())
})

it('is written and read without the key that came with it', () => {
  const { providerApiKey: _, ...input } = makeInput()
  const request = {
    input: { ...input, providerApiKey: new Secret('sk-own') },
    previews: 0,
    usesMask: false,
    fallbacks: [],
    ownKey: true,
  }
  const text = writeStoredRequest(request)
  expect(text).not.toMatch(/sk-own|secret/i)
  expect(readStoredRequest(text)).toEqual({ input, previews: 0, usesMask: false, fallbacks: [], ownKey: true })
  expect(readStoredRequest('{"input":{},"previews":0,"fallbacks":[]}').ownKey).toBe(false)
})
