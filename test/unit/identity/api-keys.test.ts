import { createHash } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { InvalidInputError, NotFoundError } from '../../../src/errors.ts'
import type { CreateApiKeyInput } from '../../../src/identity/account-types.ts'
import { LOCAL_ACCOUNT_ID } from '../../../src/identity/accounts.ts'
import { createApiKeys } from '../../../src/identity/api-keys.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { createFakeIds } from '../../support/fake-ids.ts'
import { HOUR, keyInput, openIdentity, SECOND, viewer } from './identity.ts'

describe('API keys', () => {
  it('are made of 256 random bits and kept as a hash alone', async () => {
    const { apiKeys, database } = await openIdentity()
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    expect(secret).toMatch(/^pk_[\w-]{43}$/)
    expect(apiKey).toMatchObject({ prefix: secret.slice(0, 9), scopes: ['generate', 'read'], revokedAt: null })
    const row = await database.read.selectFrom('apiKeys').selectAll().executeTakeFirstOrThrow()
    expect(row.secretHash).toBe(createHash('sha256').update(secret).digest('hex'))
    expect(JSON.stringify(row)).not.toContain(secret.slice(9))
    expect(JSON.stringify(apiKey)).not.toContain(row.secretHash)
  })

  it('let in the one who holds the secret, as it was made', async () => {
    const { apiKeys, clock } = await openIdentity()
    const input = keyInput({ scopes: ['read', 'admin', 'read'], dailySpend: '2.50', expiresAt: clock.now() + HOUR })
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, input, null)
    expect(await apiKeys.authenticate(secret)).toEqual(apiKey)
    expect(apiKey).toMatchObject({ scopes: ['read', 'admin'], dailySpendMicros: 2_500_000 })
  })

  it('let nobody in with any other text', async () => {
    const { apiKeys } = await openIdentity()
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    const hash = createHash('sha256').update(secret).digest('hex')
    for (const guess of ['', 'pk_', secret.slice(0, -1), `${secret}x`, secret.toUpperCase(), apiKey.id, hash]) {
      expect(await apiKeys.authenticate(guess)).toBeUndefined()
    }
  })

  it('end when their time comes, to the millisecond, also while they are remembered', async () => {
    const { apiKeys, clock } = await openIdentity()
    const input = keyInput({ expiresAt: clock.now() + SECOND })
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, input, null)
    await clock.advance(999)
    expect(await apiKeys.authenticate(secret)).toBeDefined()
    await clock.advance(1)
    expect(await apiKeys.authenticate(secret)).toBeUndefined()
    expect(await apiKeys.findUsable(apiKey.id)).toBeUndefined()
    expect(await apiKeys.find(LOCAL_ACCOUNT_ID, apiKey.id)).toBeDefined()
  })

  it('are refused at once after they are revoked, and stay revoked since the first time', async () => {
    const { apiKeys, clock } = await openIdentity()
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    await apiKeys.authenticate(secret)
    await apiKeys.findUsable(apiKey.id)
    const { revokedAt } = await apiKeys.revoke(LOCAL_ACCOUNT_ID, apiKey.id)
    expect(revokedAt).toBe(clock.now())
    expect(await apiKeys.authenticate(secret)).toBeUndefined()
    expect(await apiKeys.findUsable(apiKey.id)).toBeUndefined()
    await clock.advance(HOUR)
    expect(await apiKeys.revoke(LOCAL_ACCOUNT_ID, apiKey.id)).toMatchObject({ revokedAt })
  })

  it('are refused by another process within ten seconds', async () => {
    const { apiKeys, database, clock } = await openIdentity()
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    const other = createApiKeys({ database, clock, ids: createFakeIds(), logger: { warn: vi.fn() } })
    await other.authenticate(secret)
    await other.settle()
    await apiKeys.revoke(LOCAL_ACCOUNT_ID, apiKey.id)
    await clock.advance(9_999)
    expect(await other.authenticate(secret)).toBeDefined()
    await clock.advance(1)
    expect(await other.authenticate(secret)).toBeUndefined()
  })

  it('are not put back by a look-up that a revocation overtakes', async () => {
    const { apiKeys, database } = await openIdentity()
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    const reading = apiKeys.authenticate(secret)
    const revoked = apiKeys.revoke(LOCAL_ACCOUNT_ID, apiKey.id)
    await Promise.all([reading, revoked])
    expect(await apiKeys.authenticate(secret)).toBeUndefined()
    expect(await database.read.selectFrom('apiKeys').select('id').execute()).toHaveLength(1)
  })

  it("cannot be seen or revoked by another account, in the words for a key that isn't there", async () => {
    const { apiKeys, accounts } = await openIdentity()
    const other = await accounts.create({ name: 'Other', billing: 'PREPAID', limits: {} })
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    expect(await apiKeys.find(other.id, apiKey.id)).toBeUndefined()
    expect(await apiKeys.list(other.id)).toEqual([])
    const refusals = await Promise.all(
      [apiKey.id, 'key_none'].map((id) => apiKeys.revoke(other.id, id).catch((error: unknown) => error)),
    )
    for (const refusal of refusals) expect(refusal).toEqual(new NotFoundError('API key'))
    expect(await apiKeys.authenticate(secret)).toBeDefined()
  })

  it('note their last use once a minute, beside the request', async () => {
    const { apiKeys, database, clock } = await openIdentity()
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    const transact = vi.spyOn(database, 'transact')
    const start = clock.now()
    for (let count = 0; count < 5; count++) await apiKeys.authenticate(secret)
    await apiKeys.settle()
    await clock.advance(59_999)
    await apiKeys.authenticate(secret)
    await apiKeys.settle()
    expect(transact).toHaveBeenCalledTimes(1)
    expect(await apiKeys.find(LOCAL_ACCOUNT_ID, apiKey.id)).toMatchObject({ lastUsedAt: start })
    await clock.advance(1)
    await apiKeys.authenticate(secret)
    await apiKeys.settle()
    expect(await apiKeys.find(LOCAL_ACCOUNT_ID, apiKey.id)).toMatchObject({ lastUsedAt: clock.now() })
  })

  it('let in also when their last use cannot be written', async () => {
    const { apiKeys, database, warnings } = await openIdentity()
    const { secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    vi.spyOn(database, 'transact').mockRejectedValue(new Error('disk full'))
    expect(await apiKeys.authenticate(secret)).toBeDefined()
    await apiKeys.settle()
    expect(warnings).toHaveLength(1)
    expect(JSON.stringify(warnings)).not.toContain(secret)
  })
})

async function problemPaths(input: Partial<CreateApiKeyInput>, maker: Partial<Viewer> | null) {
  const { apiKeys } = await openIdentity()
  const made = apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(input), maker && viewer(maker))
  return made.then(
    () => [],
    (error: unknown) => (error instanceof InvalidInputError ? error.fields.map(({ path }) => path) : [String(error)]),
  )
}

describe('API key input', () => {
  const soon = Date.UTC(2026, 0, 2)

  it.each<[string, Partial<CreateApiKeyInput>, string[]]>([
    ['an empty name', { name: ' ' }, ['name']],
    ['a name of two lines', { name: 'a\nb' }, ['name']],
    ['a long name', { name: 'a'.repeat(101) }, ['name']],
    ['no scope', { scopes: [] }, ['scopes']],
    ['a scope that is none', { scopes: ['read', 'root'] }, ['scopes.1']],
    ['a thousand scopes', { scopes: Array.from({ length: 1_000 }, () => 'root') }, ['scopes']],
    ['an end in the past', { expiresAt: Date.UTC(2026, 0, 1) }, ['expiresAt']],
    ['an end that is no number', { expiresAt: Number.NaN }, ['expiresAt']],
    ['a spend of nothing', { dailySpend: '0' }, ['dailySpend']],
    ['a spend below nothing', { dailySpend: '-1' }, ['dailySpend']],
    ['a spend that is no decimal', { dailySpend: '1e3' }, ['dailySpend']],
    ['several faults at once', { name: '', scopes: ['x'], dailySpend: 'NaN' }, ['name', 'scopes.0', 'dailySpend']],
  ])('refuses %s', async (_, input, paths) => {
    expect(await problemPaths(input, null)).toEqual(paths)
  })

  it('refuses what its maker does not have itself', async () => {
    const maker = { scopes: ['read', 'admin'], keyDailySpendMicros: 1_000_000, expiresAt: soon } as const
    expect(await problemPaths({ scopes: ['generate'] }, maker)).toEqual(['scopes.0'])
    expect(await problemPaths({ dailySpend: '1.000001' }, maker)).toEqual(['dailySpend'])
    expect(await problemPaths({ expiresAt: soon + 1 }, maker)).toEqual(['expiresAt'])
    expect(await problemPaths({ scopes: ['read'], dailySpend: '1', expiresAt: soon }, maker)).toEqual([])
  })

  it('gives what is left out as its maker has it', async () => {
    const { apiKeys } = await openIdentity()
    const maker = viewer({ scopes: ['read', 'admin'], keyDailySpendMicros: 1_000_000, expiresAt: soon })
    const { apiKey } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput({ name: ' web ' }), maker)
    expect(apiKey).toMatchObject({ name: 'web', scopes: ['read'], dailySpendMicros: 1_000_000, expiresAt: soon })
  })
})
