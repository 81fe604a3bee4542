import { beforeEach, expect, it } from 'vitest'
import type { Database, Trx } from '../../../src/store/database.ts'
import {
  deleteOldDeliveries,
  failDeliveriesOfEndpoint,
  findWebhookDelivery,
  insertWebhookDeliveries,
  leaseDelivery,
  listDueDeliveries,
  listWebhookDeliveries,
  releaseDeliveries,
  requeueDelivery,
  settleDelivery,
} from '../../../src/store/webhook-delivery-store.ts'
import {
  deleteWebhookEndpoint,
  findWebhookEndpoint,
  insertWebhookEndpoint,
  listActiveEndpoints,
  listWebhookEndpoints,
  updateWebhookEndpoint,
} from '../../../src/store/webhook-endpoint-store.ts'
import type { WebhookEndpointRow } from '../../../src/store/webhook-tables.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { webhookDelivery } from '../../support/webhook-rows.ts'

function endpoint(row: Partial<WebhookEndpointRow> = {}): WebhookEndpointRow {
  return {
    id: 'whk_1',
    accountId: 'acc_1',
    url: 'https://app.example.com/hooks',
    events: '["GENERATION_FAILED"]',
    state: 'ACTIVE',
    secret: 'sealed',
    previousSecret: null,
    previousSecretExpiresAt: null,
    failingSince: null,
    createdAt: 5_000_000_000,
    ...row,
  }
}

const ARRIVED = {
  state: 'DELIVERED',
  nextAttemptAt: null,
  lastResponseStatus: 204,
  lastError: null,
  deliveredAt: 20,
} as const

describeOnEachDatabase('webhook stores', (open) => {
  let database: Database
  const run = <T>(work: (trx: Trx) => Promise<T>) => database.transact(work)
  const lease = (token: string, now: number) =>
    run((trx) => leaseDelivery(trx, 'whd_1', { token, now, expiresAt: now + 60 }))
  const due = async (now: number, busyUrls: readonly string[] = []) =>
    (await listDueDeliveries(database.read, { now, limit: 10, busyUrls })).map(({ id }) => id)

  beforeEach(async () => {
    database = await open()
    for (const id of ['acc_1', 'acc_2']) await run((trx) => insertAccount(trx, { id }))
    await run((trx) => insertWebhookEndpoint(trx, endpoint()))
  })

  it('give back what they were given', async () => {
    await run((trx) => insertWebhookDeliveries(trx, [webhookDelivery({ eventAt: 5_000_000_000_000 })]))
    expect(await findWebhookEndpoint(database.read, 'whk_1')).toEqual(endpoint())
    expect(await findWebhookDelivery(database.read, 'whd_1')).toEqual(webhookDelivery({ eventAt: 5_000_000_000_000 }))
  })

  it('list an account’s endpoints, and to the outbox only those that are active', async () => {
    await run((trx) => insertWebhookEndpoint(trx, endpoint({ id: 'whk_2', state: 'DISABLED_BY_OWNER' })))
    await run((trx) => insertWebhookEndpoint(trx, endpoint({ id: 'whk_3', accountId: 'acc_2' })))
    expect((await listWebhookEndpoints(database.read, 'acc_1')).map(({ id }) => id)).toEqual(['whk_1', 'whk_2'])
    expect(await run((trx) => listActiveEndpoints(trx, 'acc_1'))).toEqual([
      { id: 'whk_1', url: endpoint().url, events: endpoint().events },
    ])
  })

  it('change and delete an endpoint for its owner alone, its deliveries with it', async () => {
    await run((trx) => insertWebhookDeliveries(trx, [webhookDelivery()]))
    const own = { id: 'whk_1', accountId: 'acc_1' }
    const foreign = { id: 'whk_1', accountId: 'acc_2' }
    expect(await run((trx) => updateWebhookEndpoint(trx, foreign, { failingSince: 7 }))).toBe(false)
    expect(await run((trx) => deleteWebhookEndpoint(trx, foreign))).toBe(false)
    expect(await run((trx) => updateWebhookEndpoint(trx, own, { failingSince: 7 }))).toBe(true)
    expect(await findWebhookEndpoint(database.read, 'whk_1')).toMatchObject({ failingSince: 7 })
    expect(await run((trx) => deleteWebhookEndpoint(trx, own))).toBe(true)
    expect(await findWebhookDelivery(database.read, 'whd_1')).toBeUndefined()
  })

  it('list what is due, the longest first, without what has been leased and what goes to a busy address', async () => {
    const rows = [
      webhookDelivery({ id: 'whd_1', nextAttemptAt: 12 }),
      webhookDelivery({ id: 'whd_2', nextAttemptAt: 11, url: 'https://b.example' }),
      webhookDelivery({ id: 'whd_3', nextAttemptAt: 99 }),
      webhookDelivery({ id: 'whd_4', nextAttemptAt: null, state: 'DELIVERED' }),
    ]
    await run((trx) => insertWebhookDeliveries(trx, rows))
    expect(await due(12)).toEqual(['whd_2', 'whd_1'])
    expect(await due(12, ['https://b.example'])).toEqual(['whd_1'])
    expect(await lease('token', 12)).toBe(true)
    expect(await due(12)).toEqual(['whd_2'])
    expect(await due(72)).toEqual(['whd_2', 'whd_1'])
  })

  it('lease a delivery once at a time, count the attempt, and record for the holder alone', async () => {
    await run((trx) => insertWebhookDeliveries(trx, [webhookDelivery()]))
    expect(await lease('one', 10)).toBe(true)
    expect(await lease('two', 69)).toBe(false)
    expect(await lease('two', 70)).toBe(true)
    const settle = (leaseToken: string) => run((trx) => settleDelivery(trx, { id: 'whd_1', leaseToken }, ARRIVED))
    expect(await settle('one')).toBe(false)
    expect(await settle('two')).toBe(true)
    expect(await findWebhookDelivery(database.read, 'whd_1')).toEqual(
      webhookDelivery({ ...ARRIVED, attempts: 2, tries: 2 }),
    )
  })

  it('let go of every lease, and send one again from the beginning of the schedule', async () => {
    await run((trx) => insertWebhookDeliveries(trx, [webhookDelivery()]))
    await lease('one', 10)
    await run(releaseDeliveries)
    expect(await due(10)).toEqual(['whd_1'])
    await run((trx) => requeueDelivery(trx, 'whd_1', 50))
    expect(await findWebhookDelivery(database.read, 'whd_1')).toMatchObject({
      state: 'PENDING',
      attempts: 1,
      tries: 0,
      nextAttemptAt: 50,
    })
  })

  it('give up what waits for an endpoint, and keep what has arrived', async () => {
    await run((trx) => insertWebhookDeliveries(trx, [webhookDelivery(), webhookDelivery({ id: 'whd_2', ...ARRIVED })]))
    await run((trx) => failDeliveriesOfEndpoint(trx, 'whk_1', 'No more.'))
    const found = await listWebhookDeliveries(database.read, { endpointId: 'whk_1', before: null, limit: 10 })
    expect(found.map(({ id, state, lastError }) => [id, state, lastError])).toEqual([
      ['whd_2', 'DELIVERED', null],
      ['whd_1', 'FAILED', 'No more.'],
    ])
    expect(
      await listWebhookDeliveries(database.read, { endpointId: 'whk_1', before: 'whd_2', limit: 10 }),
    ).toHaveLength(1)
  })

  it('forget the old and not what is still on its way', async () => {
    const rows = [
      webhookDelivery(),
      webhookDelivery({ id: 'whd_2', ...ARRIVED }),
      webhookDelivery({ id: 'whd_3', ...ARRIVED, createdAt: 30 }),
    ]
    await run((trx) => insertWebhookDeliveries(trx, rows))
    expect(await run((trx) => deleteOldDeliveries(trx, { before: 30, limit: 10 }))).toBe(1)
    expect(await findWebhookDelivery(database.read, 'whd_2')).toBeUndefined()
  })
})
