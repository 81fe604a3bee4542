import { describe, expect, it } from 'vitest'
import { InvalidInputError, NotFoundError } from '../../../src/errors.ts'
import { createProviderKeyUpkeep } from '../../../src/identity/provider-key-upkeep.ts'
import { createProviderKeys } from '../../../src/identity/provider-keys.ts'
import { createSecretBox } from '../../../src/identity/secret-box.ts'
import { Secret } from '../../../src/secret.ts'
import type { Database } from '../../../src/store/database.ts'
import { insertGenerationSecret, listGenerationSecrets } from '../../../src/store/generation-secret-store.ts'
import { findProviderKey } from '../../../src/store/provider-key-store.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { type Identity, openIdentity, SECOND, SERVER_SECRET } from './identity.ts'

const LOCAL = 'acc_local'
const KEY = 'bfl-key-of-the-caller-1234'
const NEXT_SECRET = 'the next secret of this server, 32 bytes and more'

const secretsOf = (...texts: readonly string[]) => texts.map((text) => new Secret(text))

async function fieldsOf(work: Promise<unknown>): Promise<InvalidInputError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof InvalidInputError) return error
  throw new Error(`Not refused: ${error}`)
}

describe('a key for a provider', () => {
  it('is kept, listed without the key, and opened again', async () => {
    const { providerKeys, clock, database } = await openIdentity()
    const set = await providerKeys.set(LOCAL, 'flux', new Secret(KEY))
    expect(set).toEqual({ provider: 'flux', hint: '••••1234', createdAt: clock.now() })
    expect(await providerKeys.list(LOCAL)).toEqual([set])
    expect(JSON.stringify(await database.read.selectFrom('providerKeys').selectAll().execute())).not.toContain(
      'bfl-key',
    )
    const opened = await providerKeys.open(LOCAL, 'flux')
    expect(opened instanceof Secret && opened.reveal()).toBe(KEY)
  })

  it('goes by every name of its provider', async () => {
    const { providerKeys } = await openIdentity()
    expect(await providerKeys.set(LOCAL, 'bfl', new Secret(KEY))).toMatchObject({ provider: 'flux' })
    expect(await providerKeys.remove(LOCAL, 'bfl')).toBe('flux')
    expect(await providerKeys.open(LOCAL, 'flux')).toBeUndefined()
  })

  it('takes the place of an earlier one', async () => {
    const { providerKeys, clock } = await openIdentity()
    await providerKeys.set(LOCAL, 'flux', new Secret(KEY))
    await clock.advance(SECOND)
    const second = await providerKeys.set(LOCAL, 'flux', new Secret('another-key-of-the-caller-5678'))
    expect(second).toMatchObject({ hint: '••••5678', createdAt: clock.now() })
    expect(await providerKeys.list(LOCAL)).toEqual([second])
    const opened = await providerKeys.open(LOCAL, 'flux')
    expect(opened instanceof Secret && opened.reveal()).toBe('another-key-of-the-caller-5678')
  })

  it.each([
    ['x', '••••'],
    ['12345678901', '••••'],
    ['123456789012', '••••9012'],
  ])('shows of %s no more than %s', async (key, hint) => {
    const { providerKeys } = await openIdentity()
    expect(await providerKeys.set(LOCAL, 'flux', new Secret(key))).toMatchObject({ hint })
  })

  it.each(['', ' ', `${KEY} `, ` ${KEY}`, `${KEY}\n`, 'with a space', 'kéy', 'key\u0000', '🔑', 'k'.repeat(513)])(
    'is refused as %j, and not repeated',
    async (key) => {
      const { providerKeys } = await openIdentity()
      const error = await fieldsOf(providerKeys.set(LOCAL, 'flux', new Secret(key)))
      expect(error.fields).toMatchObject([{ path: 'apiKey', allowed: [] }])
      if (key.trim() !== '') expect(JSON.stringify([error.message, error.fields])).not.toContain(key.trim())
      expect(await providerKeys.list(LOCAL)).toEqual([])
    },
  )

  it('is refused for a provider that there is not or that takes none, both faults at once', async () => {
    const { providerKeys } = await openIdentity()
    for (const provider of ['nobody', 'sandbox', '']) {
      const { fields } = await fieldsOf(providerKeys.set(LOCAL, provider, new Secret('a b')))
      expect(fields).toMatchObject([{ path: 'provider', allowed: ['flux', 'openai'] }, { path: 'apiKey' }])
    }
  })

  it('is nobody else’s', async () => {
    const { providerKeys, database } = await openIdentity()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_2' }))
    await providerKeys.set(LOCAL, 'flux', new Secret(KEY))
    expect(await providerKeys.list('acc_2')).toEqual([])
    expect(await providerKeys.open('acc_2', 'flux')).toBeUndefined()
    expect(await providerKeys.providersOf('acc_2')).toEqual(new Set())
    await expect(providerKeys.remove('acc_2', 'flux')).rejects.toThrow(NotFoundError)
    expect(await providerKeys.list(LOCAL)).toHaveLength(1)
  })

  it('opens in no other row than its own', async () => {
    const { providerKeys, database } = await openIdentity()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_2' }))
    await providerKeys.set(LOCAL, 'flux', new Secret(KEY))
    await providerKeys.set('acc_2', 'flux', new Secret('of the second'.replaceAll(' ', '-')))
    const stolen = await findProviderKey(database.read, { accountId: LOCAL, provider: 'flux' })
    const { ciphertext = '' } = stolen ?? {}
    await database.transact((trx) =>
      trx.updateTable('providerKeys').set({ ciphertext }).where('accountId', '=', 'acc_2').execute(),
    )
    expect(await providerKeys.open('acc_2', 'flux')).toBe('UNREADABLE')
  })

  it('cannot be taken away twice', async () => {
    const { providerKeys } = await openIdentity()
    await expect(providerKeys.remove(LOCAL, 'flux')).rejects.toThrow('No such provider key.')
  })
})

describe('for which providers an account keeps a key', () => {
  /** Counts the looks at the table. */
  function watchReads({ database }: Identity): { readonly database: Database; count(): number } {
    let count = 0
    const read = new Proxy(database.read, {
      get(of, name) {
        if (name !== 'selectFrom') return Reflect.get(of, name)
        count += 1
        return of.selectFrom.bind(of)
      },
    })
    return { database: { ...database, read }, count: () => count }
  }

  function openProcess(identity: Identity) {
    const watched = watchReads(identity)
    const box = createSecretBox({ secret: new Secret(SERVER_SECRET), previous: [] })
    const findProvider = (name: string) => ({ id: name, keyed: true })
    const deps = { database: watched.database, clock: identity.clock, box, findProvider, keyedProviders: [] }
    return { ...watched, keys: createProviderKeys(deps) }
  }

  it('is read once in ten seconds, also where there is none', async () => {
    const identity = await openIdentity()
    const { keys, count } = openProcess(identity)
    for (let request = 0; request < 50; request++) expect(await keys.providersOf(LOCAL)).toEqual(new Set())
    expect(count()).toBe(1)
    await identity.clock.advance(10 * SECOND)
    await keys.providersOf(LOCAL)
    expect(count()).toBe(2)
  })

  it('is known at once after a change here, and within ten seconds elsewhere', async () => {
    const identity = await openIdentity()
    const [here, elsewhere] = [openProcess(identity).keys, openProcess(identity).keys]
    for (const keys of [here, elsewhere]) await keys.providersOf(LOCAL)
    await here.set(LOCAL, 'flux', new Secret(KEY))
    expect(await here.providersOf(LOCAL)).toEqual(new Set(['flux']))
    expect(await elsewhere.providersOf(LOCAL)).toEqual(new Set())
    await identity.clock.advance(10 * SECOND)
    expect(await elsewhere.providersOf(LOCAL)).toEqual(new Set(['flux']))
    await here.remove(LOCAL, 'flux')
    expect(await here.providersOf(LOCAL)).toEqual(new Set())
    await identity.clock.advance(10 * SECOND)
    expect(await elsewhere.providersOf(LOCAL)).toEqual(new Set())
  })

  it('is not put back by a look that began before a change', async () => {
    const identity = await openIdentity()
    const { keys } = openProcess(identity)
    const before = keys.providersOf(LOCAL)
    await keys.set(LOCAL, 'flux', new Secret(KEY))
    await before
    expect(await keys.providersOf(LOCAL)).toEqual(new Set(['flux']))
  })
})

describe('when the secret of the server changes', () => {
  async function openRotated(previous: readonly string[]) {
    const identity = await openIdentity()
    const { database, providerKeys } = identity
    await providerKeys.set(LOCAL, 'flux', new Secret(KEY))
    const old = createSecretBox({ secret: new Secret(SERVER_SECRET), previous: [] })
    const owner = { accountId: LOCAL, provider: 'openai', generationId: 'gen_1' }
    const ciphertext = old.seal(new Secret(KEY), owner)
    await database.transact((trx) => insertGenerationSecret(trx, { ...owner, ciphertext }))
    const box = createSecretBox({ secret: new Secret(NEXT_SECRET), previous: secretsOf(...previous) })
    const deps = { database, clock: identity.clock, box, findProvider: () => undefined, keyedProviders: [] }
    return { database, owner, keys: createProviderKeys(deps), upkeep: createProviderKeyUpkeep({ database, box }) }
  }

  it('keys are read by the earlier one and rewrapped under the new one, which then does without', async () => {
    const { database, owner, keys, upkeep } = await openRotated([SERVER_SECRET])
    expect(await keys.open(LOCAL, 'flux')).toBeInstanceOf(Secret)
    expect(await upkeep.list()).toMatchObject([{ owner: { provider: 'flux' }, state: 'PREVIOUS' }])
    expect(await upkeep.rewrap()).toEqual({ rewrapped: 2, unchanged: 0, unreadable: [] })
    expect(await upkeep.list()).toMatchObject([{ state: 'CURRENT' }])
    expect(await upkeep.rewrap()).toEqual({ rewrapped: 0, unchanged: 2, unreadable: [] })

    const alone = createSecretBox({ secret: new Secret(NEXT_SECRET), previous: [] })
    const row = await findProviderKey(database.read, { accountId: LOCAL, provider: 'flux' })
    const [given] = await listGenerationSecrets(database.read)
    const flux = { accountId: LOCAL, provider: 'flux', generationId: null }
    expect(alone.open(row?.ciphertext ?? '', flux)?.reveal()).toBe(KEY)
    expect(alone.open(given?.ciphertext ?? '', owner)?.reveal()).toBe(KEY)
  })

  it('keys that no secret opens are told of and left as they are', async () => {
    const { owner, keys, upkeep, database } = await openRotated([])
    const before = await database.read.selectFrom('providerKeys').selectAll().execute()
    expect(await keys.open(LOCAL, 'flux')).toBe('UNREADABLE')
    expect(await upkeep.list()).toMatchObject([{ state: 'UNREADABLE' }])
    const kept = { accountId: LOCAL, provider: 'flux', generationId: null }
    expect(await upkeep.rewrap()).toEqual({ rewrapped: 0, unchanged: 0, unreadable: [kept, owner] })
    expect(await database.read.selectFrom('providerKeys').selectAll().execute()).toEqual(before)
  })
})
