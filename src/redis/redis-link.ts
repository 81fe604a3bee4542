import type { Redis } from 'ioredis'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Secret } from '../secret.ts'

/** One connection to Redis that may be away at any time, and comes back by itself. */
export type RedisLink = {
  /** Redis answers, and what was subscribed to is heard. */
  isUp(): boolean
  /** Resolves with whether Redis took it: what it does not take now is dropped. Never rejects. */
  publish(channel: string, text: string): Promise<boolean>
  /** `hear` gets whatever anybody publishes there; `onReturn` is called whenever the link is up again, the first time too. */
  subscribe(channel: string, listener: RedisListener): void
  close(): void
}

export type RedisListener = { hear(text: string): void; onReturn(): void }

export type RedisLinkDeps = {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'redisState' | 'redisMessage'>
}

const RETRY_MS = 500
const CONNECT_LIMIT_MS = 2_000
/** Redis that takes a command and says nothing for so long is gone. */
const SILENCE_LIMIT_MS = 3_000
const PING_EVERY_MS = 5_000
/** Above it Redis is too slow, and what comes is dropped. */
const MAX_UNANSWERED = 256

/** Resolves before Redis answers: no start waits for it. The client is loaded here, so that who has no Redis has no cost. */
export async function openRedisLink(url: Secret, deps: RedisLinkDeps): Promise<RedisLink> {
  const { Redis } = await import('ioredis')
  const client = new Redis(url.reveal(), {
    lazyConnect: true,
    // Nothing is kept for later and nothing is sent twice: the log is read again instead.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableReadyCheck: false,
    connectTimeout: CONNECT_LIMIT_MS,
    socketTimeout: SILENCE_LIMIT_MS,
    retryStrategy: () => RETRY_MS,
  })
  return linkTo(client, deps)
}

function linkTo(client: Redis, { clock, logger, metrics }: RedisLinkDeps): RedisLink {
  const listeners = new Map<string, RedisListener>()
  const closing = new AbortController()
  const state = trackState({ logger, metrics })
  let unanswered = 0

  const listen = async () => {
    await Promise.all([...listeners.keys()].map((channel) => client.subscribe(channel)))
    state.up()
    for (const listener of listeners.values()) listener.onReturn()
  }
  client.on('ready', () => {
    listen().catch((error: unknown) => {
      state.failed(error)
      client.disconnect(true)
    })
  })
  client.on('error', state.failed)
  client.on('close', () => void (closing.signal.aborted || state.down()))
  client.on('message', (channel: string, text: string) => listeners.get(channel)?.hear(text))

  const ping = async () => {
    while (!closing.signal.aborted) {
      await clock.sleep(PING_EVERY_MS, closing.signal)
      // A ping that is not answered ends the connection, and that is told of.
      if (state.isUp()) await client.ping().catch(() => undefined)
    }
  }
  client.connect().catch(() => undefined)
  void ping()

  return {
    isUp: state.isUp,
    async publish(channel, text) {
      if (!state.isUp() || unanswered >= MAX_UNANSWERED) {
        metrics.redisMessage('dropped')
        return false
      }
      unanswered += 1
      const taken = await client.publish(channel, text).then(
        () => true,
        () => false,
      )
      unanswered -= 1
      metrics.redisMessage(taken ? 'sent' : 'dropped')
      return taken
    },
    subscribe: (channel, listener) => void listeners.set(channel, listener),
    close() {
      closing.abort()
      client.disconnect()
    },
  }
}

/** One log line at each loss and one at each return, however often the client tries in between. */
function trackState({ logger, metrics }: Pick<RedisLinkDeps, 'logger' | 'metrics'>) {
  let isUp: boolean | null = null
  let lastError: unknown
  metrics.redisState(false)
  return {
    isUp: () => isUp === true,
    failed: (error: unknown) => {
      lastError = error
    },
    up() {
      if (isUp === true) return
      isUp = true
      metrics.redisState(true)
      logger.info({}, 'Redis answers: events cross processes at once.')
    },
    down() {
      if (isUp === false) return
      isUp = false
      metrics.redisState(false)
      logger.warn({ error: lastError }, 'Redis is away: until it is back, processes read the log of events instead.')
    },
  }
}
