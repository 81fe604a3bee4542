import type { Config } from '../config.ts'
import type { Outbox } from '../generation/event-log.ts'
import { toGeneration, toImage } from '../generation/records.ts'
import type { SecretBox } from '../identity/secret-box.ts'
import type { Currency } from '../ledger/currency.ts'
import { createOutboundPost, type OutboundPost } from '../outbound/outbound-post.ts'
import type { OwnAddresses } from '../outbound/own-addresses.ts'
import { type ImageAccess, ORIGINAL } from '../services.ts'
import { findGeneration } from '../store/generation-store.ts'
import { listImagesOfGenerations } from '../store/image-store.ts'
import { releaseDeliveries } from '../store/webhook-delivery-store.ts'
import { createDeliveryLog } from '../webhooks/delivery-log.ts'
import { createDispatcher } from '../webhooks/dispatcher.ts'
import { createEndpoints } from '../webhooks/endpoints.ts'
import { summarize } from '../webhooks/generation-summary.ts'
import type { DescribeGeneration } from '../webhooks/message.ts'
import { createOutbox } from '../webhooks/outbox.ts'
import { createSigningSecrets } from '../webhooks/signing-secrets.ts'
import { createWebhooks, createWebhookUrlCheck } from '../webhooks/webhooks.ts'
import { createLoop } from '../worker/loop.ts'
import type { Foundations } from './foundations.ts'

/** At a stop, for what is being sent. */
const SETTLE_MS = 2_000
const FORGET_MS = 3_600_000

/** Those outside who want to be told. */
export function createWebhookParts(
  config: Pick<Config, 'webhookOrigins' | 'previousSecrets'>,
  foundations: Foundations,
  given: {
    secretBox: SecretBox
    images: ImageAccess
    currency: Currency
    random: () => number
    ownAddresses: OwnAddresses
    /** How long a message may wait whose time has come where nobody told of it. */
    pollMs: number
    post?: OutboundPost
  },
) {
  const { database, secret, clock, ids, logger, metrics } = foundations
  const { webhookOrigins: trustedOrigins } = config
  const secrets = createSigningSecrets({ box: given.secretBox, secret, previous: config.previousSecrets })
  const { post = createOutboundPost({ clock, trustedOrigins, own: given.ownAddresses }), random } = given
  const describe = createDescription(foundations, given)
  const onTried = (outcome: 'delivered' | 'retrying' | 'failed') => metrics.webhook(outcome)
  const deps = { database, secrets, post, describe, clock, ids, logger, random, onTried }
  const dispatcher = createDispatcher(deps, () => sending.nudge())
  const fault = (what: string) => (error: unknown) => logger.error({ err: error }, what)
  const sending = createLoop({ clock, everyMs: given.pollMs, run: dispatcher.sendDue, onError: fault('Webhooks wait') })
  const nudge = () => sending.nudge()
  const log = createDeliveryLog({ database, clock, nudge })
  const forgetting = createLoop({
    clock,
    everyMs: FORGET_MS,
    run: log.forgetOld,
    onError: fault('Old deliveries remain'),
  })
  const outbox: Outbox = { add: createOutbox({ ids }), nudge }
  const endpoints = createEndpoints({ database, secrets, clock, ids, trustedOrigins })
  return {
    outbox,
    webhooks: createWebhooks({ endpoints, log, secrets }),
    checkWebhookUrl: createWebhookUrlCheck(trustedOrigins),
    /** Of a process that works. */
    deliveries: {
      async start() {
        if (database.dialect === 'sqlite') await database.transact(releaseDeliveries)
        sending.start()
        forgetting.start()
      },
      async stop() {
        await Promise.all([sending.stop(), forgetting.stop()])
        await dispatcher.settle(SETTLE_MS)
      },
    },
  }
}

/** What has only begun has no images yet: whatever has come of it since is told of by its end. */
function createDescription(
  { database }: Foundations,
  { images, currency }: { images: ImageAccess; currency: Currency },
): DescribeGeneration {
  return async ({ generationId, event }) => {
    const row = await findGeneration(database.read, generationId)
    if (row === undefined || row.deletedAt !== null) return undefined
    const isOver = event !== 'GENERATION_STARTED'
    const made = isOver ? (await listImagesOfGenerations(database.read, [generationId])).map(toImage) : []
    const generation = toGeneration(row)
    const known = isOver
      ? generation
      : { ...generation, finishedAt: null, problems: [], error: null, chargedMicros: null }
    return summarize(known, made, { urlOf: (image) => images.url(image, ORIGINAL, null), toMoney: currency.toMoney })
  }
}
