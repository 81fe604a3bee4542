import { beforeEach, expect, it } from 'vitest'
import { createRecovery } from '../../../src/composition/recovery.ts'
import { readConfig } from '../../../src/config.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { buildHouse, type House, PRICE_MICROS } from '../../support/house.ts'
import { type HeldPlan, holds } from '../../support/scripted-provider.ts'

const COPIED_AT = Date.UTC(2026, 0, 1, 12)

describeOnEachDatabase('a database that was copied while generations ran', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer
  /** How far each had come. */
  let ids: { readonly sent: string; readonly accepted: string; readonly half: string; readonly waiting: string }

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    const limits = { concurrentGenerations: 3 }
    viewer = await house.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS, limits })
    await house.start()
    ids = {
      sent: await begin(holds()),
      accepted: await begin(holds((turn) => turn.accept())),
      half: await begin(
        holds(async (turn) => {
          await turn.send()
          await turn.image(0)
        }),
        2,
      ),
      waiting: await house.order(viewer),
    }
    await house.until(viewer, ids.half, 'IMAGE_READY')
    house.kill()
  })

  async function begin(held: HeldPlan, count = 1): Promise<string> {
    house.provider.plan(held.plan)
    const id = await house.order(viewer, { count })
    await held.begun
    return id
  }

  /** A server on what was restored. */
  async function restart(): Promise<House> {
    const next = buildHouse({ database, storage: house.storage, ids: house.ids, clock: house.clock })
    await next.start()
    return next
  }

  const recover = () => createRecovery(readConfig({}), database, house).endUnfinished(COPIED_AT)

  it('sends none of them to a provider, charges what is there and lets go of the rest', async () => {
    expect(await recover()).toBe(4)
    expect(await recover()).toBe(0)
    const next = await restart()
    await next.pass(60_000)
    expect(next.provider.turns).toEqual([])
    for (const id of [ids.sent, ids.accepted, ids.waiting]) {
      const end = await next.endOf(viewer, id)
      expect(end).toMatchObject({ status: 'FAILED', chargedMicros: 0, heldMicros: 0 })
      expect(end.error).toMatchObject({ code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null, billed: false })
      expect(end.error?.message).toContain('restored from a backup of 2026-01-01T12:00:00.000Z')
    }
    const half = await next.endOf(viewer, ids.half)
    expect(half).toMatchObject({ status: 'COMPLETED', imageCount: 1, chargedMicros: PRICE_MICROS })
    expect(half.problems).toMatchObject([{ code: 'UNKNOWN_OUTCOME' }])
    expect(half.attempts.map(({ outcome }) => outcome)).toEqual(['ABANDONED'])
    expect(half.events).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
    const account = await database.read.selectFrom('accounts').selectAll().where('id', '=', viewer.accountId).execute()
    expect(account).toMatchObject([{ balanceMicros: 99 * PRICE_MICROS, heldMicros: 0 }])
  })

  it('tells whoever asked to be told that it has ended so', async () => {
    const webhookUrl = 'https://example.com/told'
    await database.transact((trx) =>
      trx.updateTable('generations').set({ webhookUrl }).where('id', '=', ids.waiting).execute(),
    )
    await recover()
    const deliveries = await database.read.selectFrom('webhookDeliveries').selectAll().execute()
    expect(deliveries).toMatchObject([
      { generationId: ids.waiting, url: webhookUrl, event: 'GENERATION_FAILED', state: 'PENDING' },
    ])
    await house.assertInvariants()
  })

  it('when they are to go on, sends none again that may have been sent, and goes on with what a provider has', async () => {
    const next = await restart()
    // Where several servers may share a database, leases have to run out first.
    await next.pass(45_000)
    for (const id of Object.values(ids)) await next.story(viewer, id)
    expect(next.provider.turns.map(({ kind }) => kind).toSorted()).toEqual(['generate', 'resume'])
    expect(await next.endOf(viewer, ids.sent)).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_OUTCOME' } })
    expect(await next.endOf(viewer, ids.accepted)).toMatchObject({ status: 'COMPLETED', chargedMicros: PRICE_MICROS })
    expect(await next.endOf(viewer, ids.half)).toMatchObject({ status: 'COMPLETED', chargedMicros: PRICE_MICROS })
    expect(await next.endOf(viewer, ids.waiting)).toMatchObject({ status: 'COMPLETED', chargedMicros: PRICE_MICROS })
  })
})
