import { beforeEach, expect, it } from 'vitest'
import { createSecretBox } from '../../src/identity/secret-box.ts'
import { createIds } from '../../src/ids.ts'
import type { OutboundPost } from '../../src/outbound/outbound-post.ts'
import { Secret } from '../../src/secret.ts'
import type { Database } from '../../src/store/database.ts'
import { findWebhookDelivery, insertWebhookDeliveries, leaseDelivery } from '../../src/store/webhook-delivery-store.ts'
import { createDispatcher, type DispatcherDeps } from '../../src/webhooks/dispatcher.ts'
import { createSigningSecrets } from '../../src/webhooks/signing-secrets.ts'
import { insertAccount } from '../support/account-rows.ts'
import { describeOnEachDatabase } from '../support/databases.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createRecordingLogger } from '../support/recording-logger.ts'
import { webhookDelivery } from '../support/webhook-rows.ts'

describeOnEachDatabase('the dispatcher of webhooks', (open) => {
  let database: Database
  let clock = createFakeClock()
  const now = clock.now()
  const find = () => findWebhookDelivery(database.read, 'whd_1')

  beforeEach(async () => {
    clock = createFakeClock()
    database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    const delivery = webhookDelivery({ endpointId: null, nextAttemptAt: now })
    await database.transact((trx) => insertWebhookDeliveries(trx, [delivery]))
  })

  function dispatcher(changes: Partial<DispatcherDeps>) {
    const secret = new Secret('x'.repeat(32))
    const logger = createRecordingLogger()
    const secrets = createSigningSecrets({ box: createSecretBox({ secret, previous: [] }), secret, previous: [] })
    const deps: DispatcherDeps = {
      database,
      secrets,
      post: async () => ({ status: 204, retryAfterMs: null }),
      describe: async () => undefined,
      clock,
      ids: createIds(),
      logger,
      random: () => 0,
      onTried: () => undefined,
      ...changes,
    }
    return { ...createDispatcher(deps, () => undefined), logger }
  }

  it('counts a fault of our own like any other try, and ends with the schedule', async () => {
    const broken = dispatcher({ describe: () => Promise.reject(new Error('A bug.')) })
    await broken.sendDue()
    await broken.settle(0)
    expect(await find()).toMatchObject({
      state: 'PENDING',
      attempts: 1,
      nextAttemptAt: now + 5_000,
      leaseToken: null,
      lastError: 'It could not be written because of a fault on our side.',
    })
    expect(broken.logger.lines.map(({ message }) => message)).toContain('A webhook could not be written')
  })

  it('leaves alone what another process sends, until that has let its lease run out', async () => {
    const sent: string[] = []
    const post: OutboundPost = async (_url, { headers }) => {
      sent.push(headers['webhook-id'] ?? '')
      return { status: 204, retryAfterMs: null }
    }
    const lease = { token: 'of-another', now, expiresAt: now + 60_000 }
    await database.transact((trx) => leaseDelivery(trx, 'whd_1', lease))
    const early = dispatcher({ post })
    await early.sendDue()
    expect(sent).toEqual([])
    const late = dispatcher({ post, clock: createFakeClock(now + 60_000) })
    await late.sendDue()
    await late.settle(0)
    expect(sent).toEqual(['msg_1'])
    expect(await find()).toMatchObject({ state: 'DELIVERED', attempts: 2 })
  })

  it('cuts off at a stop what does not end, and records nothing of it, so that it is sent again', async () => {
    const posting = Promise.withResolvers<void>()
    const post: OutboundPost = (_url, { signal }) => {
      posting.resolve()
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('Cut off.'))))
    }
    const stopped = dispatcher({ post })
    await stopped.sendDue()
    await posting.promise
    const settled = stopped.settle(2_000)
    await clock.advance(2_000)
    await settled
    expect(await find()).toMatchObject({ state: 'PENDING', attempts: 1, lastError: null, nextAttemptAt: now })
    expect((await find())?.leaseToken).not.toBeNull()
  })
})
