import { expect, it } from 'vitest'
import { createSecretBox } from '../../../src/identity/secret-box.ts'
import { Secret } from '../../../src/secret.ts'
import type { WebhookEndpointRow } from '../../../src/store/webhook-tables.ts'
import { createSigningSecrets } from '../../../src/webhooks/signing-secrets.ts'

const ONE = new Secret('1'.repeat(32))
const TWO = new Secret('2'.repeat(32))

function open(secret: Secret, previous: readonly Secret[] = []) {
  return createSigningSecrets({ box: createSecretBox({ secret, previous }), secret, previous })
}

function row(changes: Partial<WebhookEndpointRow>): WebhookEndpointRow {
  return {
    id: 'whk_1',
    accountId: 'acc_1',
    url: 'https://app.example.com',
    events: '[]',
    state: 'ACTIVE',
    secret: '',
    previousSecret: null,
    previousSecretExpiresAt: null,
    failingSince: null,
    createdAt: 0,
    ...changes,
  }
}

const plain = (secrets: readonly Secret[]) => secrets.map((secret) => secret.reveal())

it('makes secrets of 32 random bytes in the form that receivers know', () => {
  const [one, other] = [open(ONE).create().reveal(), open(ONE).create().reveal()]
  expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(one).not.toBe(other)
})

it('signs with the secret of the endpoint, and with the one before until its time is over', () => {
  const secrets = open(ONE)
  const [now, before] = [secrets.create(), secrets.create()]
  const endpoint = { id: 'whk_1', accountId: 'acc_1' }
  const stored = row({
    secret: secrets.seal(now, endpoint),
    previousSecret: secrets.seal(before, endpoint),
    previousSecretExpiresAt: 100,
  })
  expect(plain(secrets.ofEndpoint(stored, 99))).toEqual(plain([now, before]))
  expect(plain(secrets.ofEndpoint(stored, 100))).toEqual(plain([now]))
})

it('opens no secret that was copied to another endpoint, nor under another secret of the server', () => {
  const secrets = open(ONE)
  const secret = secrets.seal(secrets.create(), { id: 'whk_1', accountId: 'acc_1' })
  expect(secrets.ofEndpoint(row({ id: 'whk_2', secret }), 0)).toEqual([])
  expect(secrets.ofEndpoint(row({ accountId: 'acc_2', secret }), 0)).toEqual([])
  expect(open(TWO).ofEndpoint(row({ secret }), 0)).toEqual([])
  expect(open(TWO, [ONE]).ofEndpoint(row({ secret }), 0)).toHaveLength(1)
})

it('has one secret for an account and an address, which survives a change of the server’s', () => {
  const [mine] = plain(open(ONE).ofAddress('acc_1', 'https://a.example/'))
  expect(plain(open(ONE).ofAddress('acc_1', 'https://a.example/'))).toEqual([mine])
  expect(plain(open(ONE).ofAddress('acc_2', 'https://a.example/'))).not.toContain(mine)
  expect(plain(open(ONE).ofAddress('acc_1', 'https://b.example/'))).not.toContain(mine)
  const after = plain(open(TWO, [ONE]).ofAddress('acc_1', 'https://a.example/'))
  expect(after).toHaveLength(2)
  expect(after[1]).toBe(mine)
})
