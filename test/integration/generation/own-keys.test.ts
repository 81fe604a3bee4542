import { beforeEach, describe, expect, it } from 'vitest'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import type { RetryOverrides } from '../../../src/generation/services.ts'
import { hashRequest } from '../../../src/generation/stored-request.ts'
import { ProviderError } from '../../../src/providers/provider-error.ts'
import { Secret } from '../../../src/secret.ts'
import type { Database } from '../../../src/store/database.ts'
import { deleteProviderKey } from '../../../src/store/provider-key-store.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import {
  buildHouse,
  type House,
  type HouseOptions,
  PRICE_MICROS,
  pricedModel,
  unpricedModel,
} from '../../support/house.ts'
import {
  answer,
  createScriptedProvider,
  fails,
  failure,
  holds,
  makes,
  type ScriptedProvider,
} from '../../support/scripted-provider.ts'
import { makeInput } from '../../unit/generation/request-plan-fixtures.ts'

const LEASE_MS = 15_000
const SENT = { providerApiKey: new Secret('sk-came-with-the-request') }
const STORED = 'sk-kept-by-the-account'
const OLD_SECRET = '0123456789abcdef0123456789abcdef'
const NEW_SECRET = 'fedcba9876543210fedcba9876543210'
const MODELS = [
  pricedModel(),
  pricedModel({ id: 'test/ink' }),
  unpricedModel({ id: 'test/gift' }),
  pricedModel({ id: 'other/brush', provider: 'other' }),
]

function createProviders(configured = true): readonly [ScriptedProvider, ScriptedProvider] {
  return [createScriptedProvider({ keyed: true, configured }), createScriptedProvider({ id: 'other', keyed: true })]
}

const keysOf = ({ turns }: ScriptedProvider) => turns.map(({ call }) => call.apiKey?.reveal() ?? null)

describeOnEachDatabase('a generation that a key of the caller’s own pays', (open) => {
  let database: Database
  let house: House
  let other: ScriptedProvider
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    const providers = createProviders()
    other = providers[1]
    house = buildHouse({ database, providers, models: MODELS })
    viewer = await house.account({ billing: 'PREPAID' })
    await house.start()
  })

  const store = (provider = 'test', key = STORED) =>
    house.domain.providerKeys.set(viewer.accountId, provider, new Secret(key))

  async function end(input: Partial<GenerationInput>, who = viewer) {
    return house.endOf(who, await house.order(who, input))
  }

  const countSecrets = async () => (await database.read.selectFrom('generationSecrets').selectAll().execute()).length

  describe('is paid', () => {
    it('by the key that came with it before the one that the account keeps, and by that before the server’s', async () => {
      const rich = await house.account()
      expect(await end({}, rich)).toMatchObject({ keySource: 'SERVER', chargedMicros: PRICE_MICROS })
      await store()
      expect(await end({})).toMatchObject({ keySource: 'ACCOUNT', chargedMicros: 0 })
      expect(await end(SENT)).toMatchObject({ keySource: 'REQUEST', chargedMicros: 0 })
      expect(keysOf(house.provider)).toEqual([null, STORED, 'sk-came-with-the-request'])
    })

    it('without credit, against no cap, whatever it costs, and tells what the provider reports', async () => {
      const capped = { ...viewer, tokenId: 'tok_1', tokenMaxSpendMicros: 1, keyDailySpendMicros: 1, apiKeyId: 'key_1' }
      house.provider.plan(makes([0, 1], { reportedUsdMicros: 70_000 }))
      const { generation } = await house.create(capped, { ...SENT, count: 2, maxCost: '0.000001' })
      expect(generation).toMatchObject({ heldMicros: 0, estimateMinMicros: 0, estimateMaxMicros: 0, warnings: [] })
      const ended = await house.endOf(capped, generation.id)
      expect(ended).toMatchObject({ imageCount: 2, chargedMicros: 0, providerReportedMicros: 70_000 })
      expect(await end({ ...SENT, model: 'test/gift', maxCost: '0.01' }, capped)).toMatchObject({ chargedMicros: 0 })
      expect(await house.domain.accountService.account(viewer)).toMatchObject({ balanceMicros: 0, heldMicros: 0 })
      expect(await database.read.selectFrom('spendCounters').selectAll().execute()).toEqual([])
    })

    it('where the server has no key for the provider', async () => {
      const [provider] = createProviders(false)
      const keyless = buildHouse({ ...house, providers: [provider], models: [pricedModel()] })
      house.kill()
      await keyless.start()
      await expect(keyless.create(viewer)).rejects.toMatchObject({ reason: 'NOT_CONFIGURED' })
      await keyless.endOf(viewer, await keyless.order(viewer, SENT))
      await keyless.domain.providerKeys.set(viewer.accountId, 'test', new Secret(STORED))
      await keyless.endOf(viewer, await keyless.order(viewer))
      expect(keysOf(provider)).toEqual(['sk-came-with-the-request', STORED])
    })

    it('and still counts against how often the account may ask', async () => {
      const slow = await house.account({ limits: { requestsPerMinute: 1 } })
      await house.create(slow, SENT)
      await expect(house.create(slow, SENT)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    })

    it('as its estimate says', async () => {
      const { generations } = house.domain
      await store()
      const estimate = await generations.estimate(viewer, makeInput({ count: 2 }))
      expect(estimate).toMatchObject({
        total: { minMicros: 0, maxMicros: 0 },
        perImage: { minMicros: 0, maxMicros: 0 },
        lines: [],
        ownKey: true,
        providerPrice: { minMicros: 2 * PRICE_MICROS, maxMicros: 2 * PRICE_MICROS },
        affordable: true,
      })
    })
  })

  describe('loses the key that came with it', () => {
    it('when it is completed, in part too', async () => {
      const id = await house.order(viewer, SENT)
      expect(await countSecrets()).toBe(1)
      expect(await house.endOf(viewer, id)).toMatchObject({ status: 'COMPLETED' })
      expect(await countSecrets()).toBe(0)
      house.provider.plan(makes([0]))
      expect(await end({ ...SENT, count: 2 })).toMatchObject({ status: 'COMPLETED', imageCount: 1 })
      expect(await countSecrets()).toBe(0)
    })

    it('when it fails', async () => {
      house.provider.plan(fails(failure('REFUSED', 'ANSWERED')))
      expect(await end(SENT)).toMatchObject({ status: 'FAILED' })
      expect(await countSecrets()).toBe(0)
    })

    it('when it is canceled, and the provider is asked to stop with that key all the same', async () => {
      const held = holds((turn) => turn.accept())
      house.provider.plan(held.plan)
      const id = await house.order(viewer, SENT)
      await held.begun
      const { generation } = await house.domain.generations.cancel(viewer, id)
      expect(generation).toMatchObject({ status: 'CANCELED', chargedMicros: 0 })
      expect(generation.problems[0]?.message).toContain('It may bill the owner of the key')
      expect(await countSecrets()).toBe(0)
      await house.pass(1_000)
      expect(house.provider.cancelKeys.map((key) => key?.reveal())).toEqual(['sk-came-with-the-request'])
    })

    it('when its deadline passes, waiting or running', async () => {
      const alone = await house.account({ limits: { concurrentGenerations: 1 } })
      const held = holds()
      house.provider.plan(held.plan)
      const ids = [await house.order(alone, { ...SENT, deadlineSeconds: 3 })]
      await held.begun
      ids.push(await house.order(alone, { ...SENT, deadlineSeconds: 2 }))
      expect(await countSecrets()).toBe(2)
      await house.pass(4_000)
      for (const id of ids) expect(await house.row(id)).toMatchObject({ status: 'FAILED', chargedMicros: 0 })
      expect(await countSecrets()).toBe(0)
    })

    it('when it is given up, because nobody knows what became of it', async () => {
      const held = holds()
      house.provider.plan(held.plan)
      const id = await house.order(viewer, SENT)
      await held.begun
      house.kill()
      const next = await takeOver()
      expect(await next.endOf(viewer, id)).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_OUTCOME' } })
      expect(await countSecrets()).toBe(0)
    })
  })

  /** Another process on the same data, once the leases of the first have run out. */
  async function takeOver(options: Partial<HouseOptions> = {}): Promise<House> {
    const clock = createFakeClock(house.clock.now() + LEASE_MS + 1)
    const { ids, storage } = house
    const given = { database, storage, ids, clock, models: MODELS, providers: createProviders() }
    const next = buildHouse({ ...given, ...options })
    next.domain.worker.start()
    next.domain.upkeep.start()
    return next
  }

  describe('keeps to its key', () => {
    it('over every further attempt and after a crash', async () => {
      await store()
      for (const input of [SENT, {}]) {
        house.provider.plan(fails(failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 0 })))
        expect(await end(input)).toMatchObject({ status: 'COMPLETED', attempts: [{ number: 1 }, { number: 2 }] })
      }
      expect(keysOf(house.provider)).toEqual(['sk-came-with-the-request', 'sk-came-with-the-request', STORED, STORED])
      const held = holds((turn) => turn.accept())
      house.provider.plan(held.plan)
      const id = await house.order(viewer, SENT)
      await held.begun
      house.kill()
      const next = await takeOver()
      expect(await next.endOf(viewer, id)).toMatchObject({ status: 'COMPLETED', chargedMicros: 0 })
      expect(next.provider.turns.map(({ kind }) => kind)).toEqual(['resume'])
      expect(keysOf(next.provider)).toEqual(['sk-came-with-the-request'])
    })

    it('also where it is refused: no other is tried, and the server’s standing is not touched', async () => {
      await store()
      const refused = failure('UNAUTHORIZED', 'NOT_ACCEPTED')
      for (let time = 0; time < 8; time++) {
        house.provider.plan(fails([refused, failure('QUOTA_EXHAUSTED', 'NOT_ACCEPTED')][time % 2]))
        expect(await end(time % 3 === 0 ? SENT : {})).toMatchObject({ status: 'FAILED', chargedMicros: 0 })
      }
      expect(keysOf(house.provider)).not.toContain(null)
      expect(house.domain.models.providers().map(({ id, health }) => `${id} ${health.state}`)).toEqual([
        'test UNKNOWN',
        'other UNKNOWN',
      ])
      const rich = await house.account()
      for (let time = 0; time < 3; time++) {
        house.provider.plan(fails(refused))
        await end({}, rich)
      }
      expect(house.domain.models.providers()[0]).toMatchObject({ health: { state: 'DEGRADED' } })
      await house.pass(6_000)
      for (let time = 0; time < 2; time++) await end({})
      expect(await house.domain.models.statistics('test/easel')).toMatchObject({ successRate: 2 / 5 })
    })

    it('and fails, nothing sent, where the account has removed it meanwhile', async () => {
      await store()
      const { id, release } = await orderBehindAnother()
      await house.domain.providerKeys.remove(viewer.accountId, 'test')
      release()
      const ended = await house.endOf(viewer, id)
      expect(ended.error).toMatchObject({ code: 'UNAUTHORIZED', retryable: false, providerBilled: false })
      expect(ended.error?.message).toContain('was removed meanwhile')
      expect(ended.attempts).toMatchObject([{ phase: 'NOT_SENT', outcome: 'FAILED' }])
      expect(house.provider.turns).toHaveLength(1)
    })

    it('and tells of an outcome that nobody can know where the provider had the job already', async () => {
      await store()
      await store('other', 'sk-for-the-other')
      const held = holds((turn) => turn.accept())
      house.provider.plan(held.plan)
      const id = await house.order(viewer, { fallbackModels: ['other/brush'] })
      await held.begun
      house.kill()
      await database.transact((trx) => deleteProviderKey(trx, { accountId: viewer.accountId, provider: 'test' }))
      const next = await takeOver()
      const ended = await next.endOf(viewer, id)
      expect(ended).toMatchObject({ status: 'FAILED', chargedMicros: 0, attempts: [{ phase: 'ACCEPTED' }] })
      expect(ended.error).toMatchObject({ code: 'UNKNOWN_OUTCOME', providerBilled: null })
      expect(ended.error?.message).toContain('was removed meanwhile')
      expect(next.provider.turns).toHaveLength(0)
    })

    it('and takes a new one that the account has set in its place', async () => {
      await store()
      const { id, release } = await orderBehindAnother()
      await store('test', 'sk-set-anew')
      release()
      expect(await house.endOf(viewer, id)).toMatchObject({ status: 'COMPLETED' })
      expect(keysOf(house.provider)).toEqual([STORED, 'sk-set-anew'])
    })

    /** Waits until the first one, which is held, lets it through. */
    async function orderBehindAnother(): Promise<{ readonly id: string; release(): void }> {
      const { accountId } = viewer
      await database.transact((trx) =>
        trx.updateTable('accounts').set({ concurrentGenerations: 1 }).where('id', '=', accountId).execute(),
      )
      const held = holds()
      house.provider.plan(held.plan)
      await house.order(viewer)
      await held.begun
      return { id: await house.order(viewer), release: () => held.release() }
    }

    it('and fails, nothing sent, once no secret of the server opens it; an earlier secret does', async () => {
      for (const previousSecrets of [[], [new Secret(OLD_SECRET)]]) {
        await store()
        const ids = [await orderHeld({}), await orderHeld(SENT)]
        const next = await takeOver({ secret: NEW_SECRET, config: { previousSecrets } })
        for (const id of ids) {
          const ended = await next.endOf(viewer, id)
          if (previousSecrets.length > 0) expect(ended).toMatchObject({ status: 'COMPLETED' })
          else
            expect(ended.error).toMatchObject({
              code: 'UNAUTHORIZED',
              message: expect.stringContaining('cannot be read'),
            })
        }
        if (previousSecrets.length === 0) expect(next.provider.turns).toHaveLength(0)
        next.kill()
        house = await takeOver()
      }
    })

    /** One that no process works on any more. */
    async function orderHeld(input: Partial<GenerationInput>): Promise<string> {
      const held = holds(async () => {})
      house.provider.plan(held.plan)
      const id = await house.order(viewer, input)
      await held.begun
      return id
    }
  })

  describe('goes on with another model', () => {
    const busy = () => failure('UNAVAILABLE', 'ANSWERED', { providerBilled: false })

    it('of the same provider by the same key, and of another by the account’s key for that', async () => {
      await store('other', 'sk-for-the-other')
      house.provider.plan(fails(busy()), fails(busy()))
      const ended = await end({ ...SENT, fallbackModels: ['test/ink', 'other/brush'] })
      expect(ended).toMatchObject({ status: 'COMPLETED', model: 'other/brush', keySource: 'ACCOUNT', chargedMicros: 0 })
      expect(keysOf(house.provider)).toEqual(['sk-came-with-the-request', 'sk-came-with-the-request'])
      expect(keysOf(other)).toEqual(['sk-for-the-other'])
      expect(await countSecrets()).toBe(0)
    })

    it('never by the server’s key', async () => {
      house.provider.plan(fails(failure('UNAUTHORIZED', 'NOT_ACCEPTED')))
      const ended = await end({ ...SENT, fallbackModels: ['other/brush'] })
      expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'UNAUTHORIZED' } })
      expect(JSON.parse(ended.warnings)).toMatchObject([{ code: 'IGNORED', requested: 'other/brush' }])
      expect(other.turns).toHaveLength(0)
    })

    it('from credits to the account’s own key, which gives all that was held back', async () => {
      const rich = await house.account({ billing: 'PREPAID', creditMicros: PRICE_MICROS })
      await house.domain.providerKeys.set(rich.accountId, 'other', new Secret(STORED))
      house.provider.plan(fails(busy()))
      const { generation } = await house.create(rich, { fallbackModels: ['other/brush'] })
      expect(generation).toMatchObject({ keySource: 'SERVER', heldMicros: PRICE_MICROS })
      const ended = await house.endOf(rich, generation.id)
      expect(ended).toMatchObject({ status: 'COMPLETED', keySource: 'ACCOUNT', chargedMicros: 0 })
      expect(await house.domain.accountService.account(rich)).toMatchObject({
        balanceMicros: PRICE_MICROS,
        heldMicros: 0,
      })
    })
  })

  it('is not sent a second time at the risk of its owner, whatever the operator risks', async () => {
    const providers = createProviders()
    const bold = buildHouse({
      database,
      storage: house.storage,
      ids: house.ids,
      providers,
      models: MODELS,
      config: { unknownOutcome: 'retry-once' },
    })
    house.kill()
    await bold.start()
    const rich = await bold.account()
    const [provider] = providers
    const lost = () => fails(failure('TIMEOUT', 'UNKNOWN'))
    provider.plan(lost())
    expect(await bold.endOf(rich, await bold.order(rich))).toMatchObject({ status: 'COMPLETED' })
    provider.plan(lost())
    const own = await bold.endOf(rich, await bold.order(rich, SENT))
    expect(own).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_OUTCOME' }, attempts: [{ number: 1 }] })

    const held = holds()
    provider.plan(held.plan)
    const id = await bold.order(rich, SENT)
    await held.begun
    bold.kill()
    const next = await takeOver({ config: { unknownOutcome: 'retry-once' } })
    expect(await next.endOf(rich, id)).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_OUTCOME' } })
    expect(next.provider.turns).toHaveLength(0)
  })

  describe('under an idempotency key', () => {
    const key = { idempotencyKey: 'once' }

    it('is one generation, and another key of its caller’s makes it another request', async () => {
      const first = await house.create(viewer, { ...SENT, ...key })
      expect(await house.create(viewer, { ...SENT, ...key })).toMatchObject({
        replayed: true,
        generation: { id: first.generation.id },
      })
      for (const input of [{ providerApiKey: new Secret('sk-another') }, {}]) {
        await expect(house.create(viewer, { ...input, ...key })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
      }
    })

    it('is still that one after the secret of the server was changed', async () => {
      const { generation } = await house.create(viewer, { ...SENT, ...key })
      await house.story(viewer, generation.id)
      const next = await takeOver({ secret: NEW_SECRET, config: { previousSecrets: [new Secret(OLD_SECRET)] } })
      const replay = await next.create(viewer, { ...SENT, ...key })
      expect(replay).toMatchObject({ replayed: true, generation: { id: generation.id } })
    })

    it('leaves nothing from which the key could be guessed', async () => {
      await house.create(viewer, { ...SENT, ...key })
      const [row] = await database.read.selectFrom('idempotencyKeys').select('requestHash').execute()
      const plain = 'sk-came-with-the-request'
      const guesses = [null, plain, '[secret]'].map((guess) => hashRequest(makeInput(key), null, guess))
      expect(guesses).not.toContain(row?.requestHash)
    })
  })

  describe('is retried', () => {
    const NONE: RetryOverrides = {
      prompt: null,
      model: null,
      seed: null,
      count: null,
      strict: null,
      providerOptions: null,
    }
    const retry = (id: string, overrides: Partial<RetryOverrides> = {}, who = viewer) =>
      house.domain.generations.retry(who, id, { ...NONE, ...overrides }, null)

    it('by the account’s key, and never for credits', async () => {
      const rich = await house.account()
      const { id } = await end(SENT, rich)
      await expect(retry(id, {}, rich)).rejects.toMatchObject({ fields: [{ path: 'id' }] })
      await expect(retry(id, { model: 'other/brush' }, rich)).rejects.toMatchObject({ fields: [{ path: 'id' }] })
      await house.domain.providerKeys.set(rich.accountId, 'test', new Secret(STORED))
      const { generation } = await retry(id, {}, rich)
      expect(generation).toMatchObject({ keySource: 'ACCOUNT', heldMicros: 0, parentId: id })
      await house.story(rich, generation.id)

      await house.domain.providerKeys.remove(rich.accountId, 'test')
      await expect(retry(generation.id, {}, rich)).rejects.toMatchObject({
        message: expect.stringContaining('would cost credits'),
      })
    })

    it('for credits where credits paid for it, though its last model was paid by the account', async () => {
      const rich = await house.account()
      await house.domain.providerKeys.set(rich.accountId, 'other', new Secret(STORED))
      house.provider.plan(fails(failure('UNAVAILABLE', 'ANSWERED', { providerBilled: false })))
      const { id, keySource } = await end({ fallbackModels: ['other/brush'] }, rich)
      expect(keySource).toBe('ACCOUNT')
      const { generation } = await retry(id, {}, rich)
      expect(generation).toMatchObject({ keySource: 'SERVER', heldMicros: PRICE_MICROS })
      await house.story(rich, generation.id)
    })
  })

  it('shows nobody the key, even where the provider quotes it', async () => {
    const quoting = () => {
      const message = 'Incorrect key sk-came-with-the-request. It says: sk-came-with-the-request is wrong.'
      const providerCode = 'bad sk-came-with-the-request'
      return new ProviderError({ kind: 'UNAUTHORIZED', delivery: 'NOT_ACCEPTED', message, providerCode })
    }
    house.provider.plan(fails(quoting()))
    const whole = await end(SENT)
    house.provider.plan(async (turn) => {
      await turn.send()
      await turn.image(0)
      return answer({ failures: [{ imageIndex: 1, error: quoting() }] })
    })
    const part = await end({ ...SENT, count: 2 })
    house.provider.plan(fails(Object.assign(new Error('sk-came-with-the-request'), { headers: { key: SENT } })))
    const broken = await end(SENT)
    house.provider.plan(async (turn) => {
      await turn.send()
      const [left, right] = [
        { state: 'TAKEN', job: { id: 'job-1' } },
        { state: 'FAILED', error: { ...quoting() } },
      ]
      await turn.call.onAccepted({ jobId: 'job-1', parts: [left, { ...right, words: quoting().message }] })
      turn.call.onProgress({ progress: 0.5, message: quoting().message })
      await turn.image(0)
      return answer({ requestId: 'sk-came-with-the-request' })
    })
    const taken = await end(SENT)
    const attempts = await database.read.selectFrom('attempts').selectAll().execute()
    const all = JSON.stringify([whole, part, broken, taken, attempts, house.logger.lines])
    expect(all).not.toContain('sk-came')
    expect(whole.error?.message).toBe('Incorrect key [secret]. It says: [secret] is wrong.')
    expect(part.problems).toMatchObject([{ imageIndex: 1, code: 'UNAUTHORIZED', providerCode: 'bad [secret]' }])
  })
})
