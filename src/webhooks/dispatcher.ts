import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Logger } from '../logger.ts'
import { OutboundError } from '../outbound/outbound-error.ts'
import type { OutboundPost } from '../outbound/outbound-post.ts'
import type { Secret } from '../secret.ts'
import type { Database, Trx } from '../store/handles.ts'
import {
  failDeliveriesOfEndpoint,
  leaseDelivery,
  listDueDeliveries,
  settleDelivery,
} from '../store/webhook-delivery-store.ts'
import { findWebhookEndpoint, updateWebhookEndpoint } from '../store/webhook-endpoint-store.ts'
import type { WebhookDeliveryRow, WebhookEndpointRow } from '../store/webhook-tables.ts'
import { judge, PATIENCE_MS, type Tried, type Verdict } from './delivery-schedule.ts'
import { type DescribeGeneration, signMessage, writeMessage } from './message.ts'
import type { SigningSecrets } from './signing-secrets.ts'

export type DispatcherDeps = {
  readonly database: Database
  readonly secrets: SigningSecrets
  readonly post: OutboundPost
  readonly describe: DescribeGeneration
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
  /** 0 to 1, not 1. */
  readonly random: () => number
  /** Told of each try: `delivered`, `failed` for good, or to be tried again. */
  readonly onTried: (outcome: 'delivered' | 'retrying' | 'failed') => void
}

export type Dispatcher = {
  /** Sends what is due and can be sent beside what is being sent already. Resolves when all of that is under way. */
  sendDue(): Promise<void>
  /** Resolves when nothing is being sent. What takes longer than `graceMs` is cut off, and sent again after the restart. */
  settle(graceMs: number): Promise<void>
}

const AT_A_TIME = 16
/** At one address, so that a receiver which hangs holds up nobody else. */
const AT_AN_ADDRESS = 4
const ANSWER_MS = 15_000
/** Well above what one try may take. */
const LEASE_MS = 60_000

/** At least once: the attempt is counted before it is made, and what came of it is written after it. */
export function createDispatcher(deps: DispatcherDeps, onRoom: () => void): Dispatcher {
  const { database, clock, ids, logger } = deps
  const sending = new Map<string, { readonly url: string; readonly done: Promise<void> }>()
  const stopping = new AbortController()

  const countAt = (url: string) => [...sending.values()].filter((each) => each.url === url).length

  async function lease(row: WebhookDeliveryRow): Promise<WebhookDeliveryRow | undefined> {
    const token = ids.token()
    const now = clock.now()
    const isOurs = await database.transact((trx) =>
      leaseDelivery(trx, row.id, { token, now, expiresAt: now + LEASE_MS }),
    )
    return isOurs ? { ...row, leaseToken: token, attempts: row.attempts + 1, tries: row.tries + 1 } : undefined
  }

  async function send(row: WebhookDeliveryRow): Promise<void> {
    const endpoint = row.endpointId === null ? null : await findWebhookEndpoint(database.read, row.endpointId)
    const tried = await attempt(deps, row, endpoint ?? null, stopping.signal)
    // Whether it arrived is open: its lease stays, and it is sent again under its message id.
    if (tried === 'cut off') return
    const now = clock.now()
    const verdict = judge(tried, { tries: row.tries, now, random: deps.random() })
    await database.transact((trx) => record(trx, row, verdict, now))
    const outcome = verdict.state === 'PENDING' ? 'retrying' : verdict.state === 'DELIVERED' ? 'delivered' : 'failed'
    deps.onTried(outcome)
    const { id: delivery, messageId, generationId: generation, attempts } = row
    if (outcome !== 'delivered') {
      const about = { delivery, messageId, generation, attempts, status: verdict.lastResponseStatus }
      logger.info({ ...about, outcome }, 'A webhook did not arrive')
    }
  }

  return {
    async sendDue() {
      for (;;) {
        const free = AT_A_TIME - sending.size
        if (free <= 0) return
        const urls = new Set([...sending.values()].map(({ url }) => url))
        const busyUrls = [...urls].filter((url) => countAt(url) >= AT_AN_ADDRESS)
        const due = await listDueDeliveries(database.read, { now: clock.now(), limit: free, busyUrls })
        let begun = 0
        for (const each of due) {
          if (sending.has(each.id) || countAt(each.url) >= AT_AN_ADDRESS) continue
          const row = await lease(each)
          if (!row) continue
          begun += 1
          const done = send(row)
            .catch((error: unknown) => logger.error({ err: error, delivery: row.id }, 'A webhook could not be sent'))
            .finally(() => {
              sending.delete(row.id)
              onRoom()
            })
          sending.set(row.id, { url: row.url, done })
        }
        if (begun === 0) return
      }
    },
    async settle(graceMs) {
      const settled = Promise.all([...sending.values()].map(({ done }) => done))
      const timer = new AbortController()
      await Promise.race([settled, clock.sleep(graceMs, timer.signal)])
      timer.abort()
      stopping.abort()
      await settled
    },
  }
}

async function attempt(
  deps: DispatcherDeps,
  row: WebhookDeliveryRow,
  endpoint: WebhookEndpointRow | null,
  signal: AbortSignal,
): Promise<Tried | 'cut off'> {
  const secrets = secretsOf(deps, row, endpoint)
  if (secrets.length === 0) {
    return failed('Its signing secret can no longer be read, because the secret of the server has changed. Rotate it.')
  }
  try {
    const body = await writeMessage(row, deps.describe)
    const message = signMessage({ messageId: row.messageId, body }, secrets, deps.clock.now())
    const bounds = { timeoutMs: ANSWER_MS, signal }
    const { status, retryAfterMs } = await deps.post(endpoint?.url ?? row.url, { ...message, ...bounds })
    return { status, retryAfterMs, error: null }
  } catch (error) {
    if (signal.aborted) return 'cut off'
    if (error instanceof OutboundError) return failed(error.message)
    // Left to its lease it would be tried every minute without end; so it counts like any other try.
    deps.logger.error({ err: error, delivery: row.id }, 'A webhook could not be written')
    return failed('It could not be written because of a fault on our side.')
  }
}

function failed(error: string): Tried {
  return { status: null, retryAfterMs: null, error }
}

function secretsOf(
  { secrets, clock }: DispatcherDeps,
  { accountId, endpointId, url }: WebhookDeliveryRow,
  endpoint: WebhookEndpointRow | null,
): readonly Secret[] {
  if (endpointId === null) return secrets.ofAddress(accountId, url)
  return endpoint ? secrets.ofEndpoint(endpoint, clock.now()) : []
}

async function record(trx: Trx, row: WebhookDeliveryRow, verdict: Verdict, now: number): Promise<void> {
  const { isGone, ...outcome } = verdict
  const isOurs = await settleDelivery(trx, { id: row.id, leaseToken: row.leaseToken ?? '' }, outcome)
  if (!isOurs || row.endpointId === null) return
  const endpoint = await findWebhookEndpoint(trx, row.endpointId)
  if (!endpoint) return
  const failingSince = outcome.state === 'DELIVERED' ? null : (endpoint.failingSince ?? now)
  const isHopeless = isGone || (failingSince !== null && now - failingSince >= PATIENCE_MS)
  if (failingSince === endpoint.failingSince && !isHopeless) return
  const isDisabled = isHopeless && endpoint.state === 'ACTIVE'
  await updateWebhookEndpoint(trx, endpoint, {
    failingSince,
    ...(isDisabled && { state: 'DISABLED_BY_FAILURES' }),
  })
  if (isDisabled) await failDeliveriesOfEndpoint(trx, endpoint.id, 'The endpoint was disabled because of failures.')
}
