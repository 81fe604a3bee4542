import { describe, expect, it } from 'vitest'
import { authorizationOf } from '../../../../src/providers/wire/authorization.ts'
import { Secret } from '../../../../src/secret.ts'

describe('authorization at an engine', () => {
  it.each([
    ['user and password', 'ann:secret', `Basic ${Buffer.from('ann:secret').toString('base64')}`],
    ['a token', 'sk-1', 'Bearer sk-1'],
  ])('shows %s', (_, key, shown) => {
    expect(authorizationOf(new Secret(key), null)).toEqual({ authorization: shown })
  })

  it("shows the caller's own key before the server's, and nothing without one", () => {
    expect(authorizationOf(new Secret('a'), new Secret('b'))).toEqual({ authorization: 'Bearer b' })
    expect(authorizationOf(null, null)).toEqual({})
  })
})
