import { createHmac, hkdfSync } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { CallbackVerdict, Metrics } from '../metrics.ts'
import type { CallbackLine } from '../providers/callback.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'
import { isSameSecret, Secret } from '../secret.ts'

/** The line of one attempt; nobody listens after `close`. */
export type OpenLine = CallbackLine & { close(): void }

export type CallbackCall = {
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Asked for only where the address is one of ours; null: more than is taken. */
  body(): Promise<Uint8Array | null>
}

/** Where vendors call, and who hears of it. */
export type CallbackDesk = {
  /** undefined: this provider is not to call. */
  open(providerId: string, attemptId: string): OpenLine | undefined
  /** `path`: what stands behind `/callbacks/`. */
  receive(path: string, call: CallbackCall): Promise<CallbackVerdict>
}

const CHECK_MS = 20_000
const ADDRESS = /^([a-z0-9-]{1,64})\/([\w-]{1,64})\/(\d{1,4})\/([\w-]{43})$/

/**
 * Addresses carry a keyed digest, so that no other can be tried; nothing is stored for them, and they mean the same after
 * a restart. Who calls one has to sign as the vendor does besides. All that a call can do is to end a pause early.
 */
export function createCallbackDesk(deps: {
  readonly secret: Secret
  /** Where vendors reach this server, and who of them is to call. null: nobody. */
  readonly plan: { readonly publicUrl: string; readonly providers: ReadonlySet<string> } | null
  readonly providers: ProviderRegistry
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'vendorCallback'>
}): CallbackDesk {
  const { plan, clock, logger, metrics } = deps
  const digest = createDigest(deps.secret)
  const lines = new Map<string, Bells>()

  async function judge(path: string, call: CallbackCall): Promise<{ verdict: CallbackVerdict; providerId: string }> {
    const [, providerId = '', attemptId = '', part = '', mark = ''] = ADDRESS.exec(path) ?? []
    const callbacks = deps.providers.find(providerId)?.callbacks
    const isOurs = isSameSecret(mark, digest('address', providerId, attemptId, part))
    if (!callbacks || !isOurs) return { verdict: 'unknown', providerId: '' }
    const body = await call.body()
    if (body === null) return { verdict: 'too_large', providerId }
    const secret = new Secret(digest('secret', providerId, attemptId, part))
    const callback = { headers: call.headers, body, secret }
    const opinion = await callbacks.isGenuine(callback, AbortSignal.timeout(CHECK_MS)).catch((error: unknown) => {
      logger.warn({ provider: providerId, err: error }, 'The signature of a callback could not be checked')
      return 'unchecked' as const
    })
    if (opinion === 'unchecked') return { verdict: 'unchecked', providerId }
    if (!opinion) return { verdict: 'forged', providerId }
    const bells = lines.get(attemptId)
    bells?.ring(Number(part))
    return { verdict: bells ? 'heard' : 'late', providerId }
  }

  return {
    open(providerId, attemptId) {
      if (!plan?.providers.has(providerId)) return undefined
      const bells = createBells(clock)
      lines.set(attemptId, bells)
      const base = `${plan.publicUrl}/callbacks/${providerId}/${attemptId}`
      return {
        urlOf: (part) => `${base}/${part}/${digest('address', providerId, attemptId, String(part))}`,
        secretOf: (part) => new Secret(digest('secret', providerId, attemptId, String(part))),
        pause: bells.pause,
        close() {
          if (lines.get(attemptId) === bells) lines.delete(attemptId)
        },
      }
    },
    async receive(path, call) {
      const { verdict, providerId } = await judge(path, call)
      metrics.vendorCallback(providerId, verdict)
      // Whoever knows the address is the vendor, or has read its mail: the operator should hear of it.
      if (verdict === 'forged') logger.warn({ provider: providerId }, "A callback is not signed as the provider's are")
      return verdict
    },
  }
}

type Bells = {
  ring(part: number): void
  pause: CallbackLine['pause']
}

/** A call that comes while nobody pauses is heard at the next pause. Calls are not counted: one look answers them all. */
function createBells(clock: Clock): Bells {
  const rung = new Set<number>()
  const sleepers = new Map<number, () => void>()
  return {
    ring(part) {
      rung.add(part)
      sleepers.get(part)?.()
    },
    async pause(part, ms, signal) {
      if (!rung.has(part)) {
        const woken = new AbortController()
        sleepers.set(part, () => woken.abort())
        await clock.sleep(ms, AbortSignal.any([signal, woken.signal]))
        sleepers.delete(part)
      }
      rung.delete(part)
    },
  }
}

function createDigest(secret: Secret): (...fields: readonly string[]) => string {
  const key = new Uint8Array(hkdfSync('sha256', secret.reveal(), new Uint8Array(), 'pictor vendor callback v1', 32))
  return (...fields) => createHmac('sha256', key).update(JSON.stringify(fields)).digest('base64url')
}
