import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DocumentNode, GraphQLSchema } from 'graphql'
import type { Clock } from '../clock.ts'
import type { RateStanding } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Viewer } from '../viewer.ts'
import type { CallDesk } from './call.ts'
import type { OperationPolicy } from './known-operations.ts'
import type { TransportLimits } from './limits.ts'
import type { RequestInfo } from './request-facts.ts'
import type { Failure } from './response-headers.ts'

/** What a caller shows of itself. The same for HTTP headers and for the parameters of a WebSocket's first message. */
export type Credentials = {
  /** As an `Authorization` header would read: `Bearer …`. */
  readonly authorization: string | null
  readonly host: string | null
  readonly origin: string | null
  /** Whom to count failures for. */
  readonly network: string
}

/**
 * Throws `RequestError` UNAUTHENTICATED, and `RateLimitedError` for an address with too many wrong attempts; null is refused
 * in the same words as the first. Called again while a connection lasts.
 */
export type Authenticate = (credentials: Credentials) => Promise<Viewer | null>

/** How often callers may ask. */
export type OperationLimits = {
  /** Counts one operation. RateLimitedError. */
  countOperation(viewer: Viewer): Promise<void>
  standing(viewer: Viewer): Promise<readonly RateStanding[]>
}

export type ContextRequest = {
  readonly viewer: Viewer
  readonly requestId: string
  /** The SSE request header: works like a subscription's `after` argument. */
  readonly lastEventId: string | null
  /** The source of a subscription sets it when it hands out an event; the SSE writer makes it that event's `id:`. */
  readonly stream: { cursor: string | null }
  /** Aborts when nobody waits for the answer any more. What has begun to be written must ignore it. */
  readonly signal: AbortSignal
}

export type CostQuery = {
  readonly schema: GraphQLSchema
  /** The one operation that will run, with all fragments. */
  readonly document: DocumentNode
  readonly variables: Readonly<Record<string, unknown>>
  /** As `createContext` made it. */
  readonly context: object
}

export type OperationCost = { readonly cost: number; readonly depth: number; readonly breadth: number }

export type GraphiqlTab = { readonly name: string; readonly query: string; readonly variables: string | null }

/** Answers at a path, or below one that ends in a slash. */
export type Route = {
  readonly prefix: string
  /** Label of the metric: one of its fixed set. */
  readonly name: string
  handle(request: IncomingMessage, response: ServerResponse, info: RequestInfo): Promise<void>
  /** true: pages of origins that are neither ours nor listed may not come in, also where a key is needed. */
  readonly refusesPages?: boolean
  /** Tells who may not come in, in the door's own shape; missing: in that of GraphQL. */
  refuse?(response: ServerResponse, failure: Failure): void
}

/** Makes a door out of what the server holds for all of them. */
export type OpenDoor = (desk: CallDesk) => Route

export type TransportConfig = {
  readonly host: string
  readonly port: number
  /** Base of the addresses that we hand out; null: from host and port. */
  readonly publicUrl: string | null
  /** Pages of other origins that may call: exact, such as `https://app.example.com`. */
  readonly allowedOrigins: readonly string[]
  /** Addresses and networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[]
  /** Names, with port where it is not the scheme's own, that the `Host` header may carry besides the loopback's. */
  readonly allowedHosts: readonly string[]
  /** Callers need no key here, so whatever a browser may be led to send is refused: see `host-guard.ts`. */
  readonly loopbackOnly: boolean
  readonly graphiql: boolean
  readonly graphiqlTabs: readonly GraphiqlTab[]
  readonly introspection: boolean
  readonly metrics: 'local' | 'key' | 'off'
  readonly limits?: Partial<TransportLimits>
}

export type HttpServerOptions = {
  readonly schema: GraphQLSchema
  createContext(request: ContextRequest): object | Promise<object>
  readonly authenticate: Authenticate
  /** Missing: only depth, fields and the other counts bound an operation. */
  costOf?(query: CostQuery): OperationCost
  /** How many subscriptions the viewer's account may hold on this process; missing: the limit of the settings. */
  subscriptionsOf?(viewer: Viewer): number | Promise<number>
  /** Missing: nobody is counted. */
  readonly rateLimits?: OperationLimits
  /** Those that callers may name, and whether nothing else runs. */
  readonly operations: OperationPolicy
  readonly routes: readonly Route[]
  /** Doors whose calls are fixed. */
  readonly doors?: readonly OpenDoor[]
  readonly config: TransportConfig
  readonly logger: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  readonly ids: Ids
  /** 0 to 1, not 1. */
  random(): number
  /** Whether what was thrown is a fault that passes: callers are then told to try again. Missing: none is. */
  isPassingFault?(error: unknown): boolean
  /** Rejects or answers `unavailable` while requests should go elsewhere. */
  readiness(): Promise<Readiness>
}

/** `degraded`: it serves all that it is asked, but something that it can do without is away. */
export type Readiness = 'ok' | 'degraded' | 'unavailable'
