import { type Clock, createSystemClock } from './clock.ts'
import { createDomain } from './composition/domain.ts'
import { createDoors, type Doors } from './composition/doors.ts'
import { openFoundations } from './composition/foundations.ts'
import { openOperations } from './composition/known-operations.ts'
import { assertUsable } from './composition/storage.ts'
import type { Config } from './config.ts'
import { createIds, type Ids } from './ids.ts'
import type { Logger } from './logger.ts'
import type { OutboundFetch } from './outbound/outbound-fetch.ts'
import type { ImageProvider } from './providers/provider.ts'
import type { TransportLimits } from './transport/limits.ts'

/** What tests and benchmarks may put in the place of the real thing. */
export type Overrides = {
  readonly clock?: Clock
  readonly ids?: Ids
  readonly logger?: Logger
  /** Beside the built-in ones. */
  readonly providers?: readonly ImageProvider[]
  readonly leaseMs?: number
  readonly pollMs?: number
  /** How often watchers read the log where no publish told them of anything. */
  readonly refreshMs?: number
  /** The same for the events of other processes, in one look for all watchers, where Redis rings no bell. */
  readonly lookMs?: number
  readonly limits?: Partial<TransportLimits>
  /** false: beside a server that runs; only for a process that makes no pictures. */
  readonly exclusive?: boolean
  /** 0 to 1, not 1. */
  readonly random?: () => number
  readonly fetchOutbound?: OutboundFetch
}

export type App = {
  /** Address of `/graphql`, as clients know it; known once started. */
  readonly url: string
  /** That it listens on; known once started. */
  readonly port: number
  start(): Promise<void>
  /** Drains: takes nothing new, lets what runs finish for the configured time, closes watchers to come back elsewhere. */
  stop(): Promise<void>
  readonly domain: ReturnType<typeof createDomain>
  readonly foundations: Awaited<ReturnType<typeof openFoundations>>
}

/** The composition root: everything is made here and handed what it needs, and nothing is reached otherwise. */
export async function createApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const clock = overrides.clock ?? createSystemClock()
  const ids = overrides.ids ?? createIds()
  const operations = openOperations(config.operations)
  let url = ''
  let port = config.port
  const ownAddresses = () => [...(config.publicUrl === null ? [] : [config.publicUrl]), `http://127.0.0.1:${port}`]
  const foundations = await openFoundations(config, { clock, ids, ownAddresses, ...overrides })
  const publicUrl = () => config.publicUrl ?? new URL(url).origin
  const domain = createDomain(config, foundations, { publicUrl, ownAddresses, ...overrides })
  const doors: Doors = createDoors(config, foundations, domain, { ...overrides, operations })
  const works = config.roles.includes('worker')
  const serves = config.roles.includes('api')

  return {
    get url() {
      return url
    },
    get port() {
      return port
    },
    domain,
    foundations,

    async start() {
      await assertUsable(config, foundations.storage, foundations.logger)
      await domain.accounts.ensureLocal()
      if (serves) domain.events.start()
      if (works) {
        // One server owns the file, so whatever is still leased belongs to a process that is dead.
        if (foundations.database.dialect === 'sqlite') await domain.queue.recover()
        domain.worker.start()
        domain.upkeep.start()
        await domain.deliveries.start()
      }
      if (serves) ({ url, port } = await doors.server.start())
    },

    async stop() {
      await Promise.all([
        serves ? doors.server.stop({ graceMs: config.drainMs }) : undefined,
        works ? domain.worker.drain(config.drainMs) : undefined,
      ])
      if (works) await Promise.all([domain.upkeep.stop(), domain.deliveries.stop()])
      domain.refresher.stop()
      await domain.events.stop()
      foundations.redis?.close()
      await domain.apiKeys.settle()
      await foundations.database.close()
    },
  }
}
