import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/**
 * What Prometheus is told. Labels come from fixed sets: a value that is not in its set is counted as `other`, so that no
 * caller can make series by sending names.
 */
export const METRIC_LABELS = {
  route: ['graphql', 'rest', 'mcp', 'images', 'callbacks', 'healthz', 'readyz', 'metrics', 'root', 'none'],
  method: ['GET', 'HEAD', 'POST', 'OPTIONS'],
  operation: ['query', 'mutation', 'subscription', 'unknown'],
  transport: ['http', 'sse', 'websocket'],
  operationOutcome: ['ok', 'partial', 'invalid', 'refused', 'failed'],
  stream: ['completed', 'disconnected', 'stalled', 'ended'],
  claim: ['claimed', 'empty', 'lost'],
  attempt: ['succeeded', 'partial', 'failed', 'canceled', 'abandoned'],
  generation: ['queued', 'running', 'completed', 'failed', 'canceled'],
  money: ['held', 'captured', 'released', 'granted', 'refunded'],
  storageOperation: ['read', 'write', 'delete'],
  costSource: ['reported', 'catalogue'],
  webhook: ['delivered', 'retrying', 'failed'],
  callback: ['heard', 'late', 'forged', 'unknown', 'unchecked', 'too_large'],
  redis: ['sent', 'dropped', 'received', 'refused'],
  health: ['UP', 'DEGRADED', 'DOWN', 'UNKNOWN'],
  event: ['QUEUED', 'STARTED', 'PROGRESS', 'PREVIEW', 'IMAGE_READY', 'RETRYING', 'COMPLETED', 'FAILED', 'CANCELED'],
} as const

export type MetricLabel<Name extends keyof typeof METRIC_LABELS> = (typeof METRIC_LABELS)[Name][number]

/**
 * What became of a vendor's call: `late` is of an attempt that nobody waits for any more, `unknown` at no address of ours,
 * `unchecked` one whose signature could not be looked at, because the vendor does not give out its keys.
 */
export type CallbackVerdict = MetricLabel<'callback'>

export type MetricsOptions = {
  /** Provider ids: the fixed set of that label. */
  readonly providers?: readonly string[]
  /** Memory, CPU, garbage collection and event-loop lag of this process. Default true. */
  readonly process?: boolean
}

export type Metrics = {
  readonly contentType: string
  /** Prometheus text format. */
  render(): Promise<string>
  httpRequest(route: string, method: string, status: number, seconds: number): void
  graphqlOperation(
    operation: MetricLabel<'operation'>,
    transport: MetricLabel<'transport'>,
    outcome: MetricLabel<'operationOutcome'>,
    seconds: number,
  ): void
  socketOpened(): void
  socketClosed(code: number): void
  subscriptionStarted(transport: MetricLabel<'transport'>): void
  subscriptionEnded(transport: MetricLabel<'transport'>): void
  streamEnded(how: MetricLabel<'stream'>): void
  watcherLagged(): void
  /** Jobs that wait, and the age of the oldest in seconds; read when Prometheus asks. */
  observeQueue(read: () => Promise<{ readonly depth: number; readonly oldestAgeSeconds: number }>): void
  claim(outcome: MetricLabel<'claim'>): void
  attempt(provider: string, outcome: MetricLabel<'attempt'>, seconds: number): void
  /** What a vendor says that it cost, and what the catalogue makes of the same: they drift apart when prices change. */
  vendorCost(provider: string, cost: { readonly reportedMicros: number; readonly expectedMicros: number }): void
  webhook(outcome: MetricLabel<'webhook'>): void
  vendorCallback(provider: string, verdict: CallbackVerdict): void
  /** Which state each provider is in; read when Prometheus asks. */
  observeProviders(read: (provider: string) => MetricLabel<'health'>): void
  generation(status: MetricLabel<'generation'>): void
  /** In micro-units of the ledger's currency. */
  money(kind: MetricLabel<'money'>, amountMicros: number): void
  storage(operation: MetricLabel<'storageOperation'>, sizeBytes: number): void
  eventPublished(kind: string): void
  /** Files that no row needed and that were taken away. */
  orphansRemoved(count: number): void
  /** Pictures that rows know and storage does not, at the last look; to be compared with 0. */
  lostBlobs(count: number): void
  redisState(isUp: boolean): void
  redisMessage(outcome: MetricLabel<'redis'>): void
}

const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const ATTEMPT_BUCKETS = [0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640]

/** Close codes that this server or the protocol gives; all others are one series. */
const CLOSE_CODES = [1000, 1001, 1005, 1006, 1009, 1012, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429, 4500]

export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry()
  if (options.process !== false) collectDefaultMetrics({ register: registry, prefix: 'pictor_' })
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    ...doorMetrics(registry),
    ...workMetrics(registry, options.providers ?? []),
    ...upkeepMetrics(registry),
    ...redisMetrics(registry),
  }
}

type DoorMetrics = Pick<
  Metrics,
  | 'httpRequest'
  | 'graphqlOperation'
  | 'socketOpened'
  | 'socketClosed'
  | 'subscriptionStarted'
  | 'subscriptionEnded'
  | 'streamEnded'
  | 'watcherLagged'
>

function doorMetrics(registry: Registry): DoorMetrics {
  const http = histogram(registry, 'http_request_seconds', 'HTTP requests.', ['route', 'method', 'status'])
  const graphql = histogram(registry, 'graphql_operation_seconds', 'Operations; a subscription until it is set up.', [
    'operation',
    'transport',
    'outcome',
  ])
  const sockets = gauge(registry, 'sockets', 'Open WebSockets.')
  const closes = counter(registry, 'socket_closes_total', 'Closed WebSockets.', ['code'])
  const subscriptions = gauge(registry, 'subscriptions', 'Running subscriptions.', ['transport'])
  const streams = counter(registry, 'event_streams_total', 'Ended SSE answers.', ['how'])
  const lagged = counter(registry, 'watchers_lagged_total', 'Watchers ended because they were too slow.')
  return {
    httpRequest: (route, method, status, seconds) =>
      http.observe(
        {
          route: within(METRIC_LABELS.route, route),
          method: within(METRIC_LABELS.method, method),
          status: `${Math.floor(status / 100)}xx`,
        },
        seconds,
      ),
    graphqlOperation: (operation, transport, outcome, seconds) =>
      graphql.observe({ operation, transport, outcome }, seconds),
    socketOpened: () => sockets.inc(),
    socketClosed: (code) => {
      sockets.dec()
      closes.inc({ code: CLOSE_CODES.includes(code) ? String(code) : 'other' })
    },
    subscriptionStarted: (transport) => subscriptions.inc({ transport }),
    subscriptionEnded: (transport) => subscriptions.dec({ transport }),
    streamEnded: (how) => streams.inc({ how }),
    watcherLagged: () => lagged.inc(),
  }
}

type UpkeepMetrics = Pick<Metrics, 'orphansRemoved' | 'lostBlobs'>

function upkeepMetrics(registry: Registry): UpkeepMetrics {
  const orphans = counter(registry, 'orphans_removed_total', 'Files that no row needed, taken away.')
  const lost = gauge(registry, 'lost_blobs', 'Pictures whose bytes were not in storage at the last look.')
  return {
    orphansRemoved: (count) => orphans.inc(count),
    lostBlobs: (count) => lost.set(count),
  }
}

type RedisMetrics = Pick<Metrics, 'redisState' | 'redisMessage'>

function redisMetrics(registry: Registry): RedisMetrics {
  const up = gauge(registry, 'redis_up', 'Whether Redis answers; always 0 where none is configured.')
  const messages = counter(registry, 'redis_messages_total', 'Messages between processes.', ['outcome'])
  return {
    redisState: (isUp) => up.set(isUp ? 1 : 0),
    redisMessage: (outcome) => messages.inc({ outcome }),
  }
}

type WorkMetrics = Omit<
  Metrics,
  keyof DoorMetrics | keyof UpkeepMetrics | keyof RedisMetrics | 'contentType' | 'render'
>

function workMetrics(registry: Registry, providers: readonly string[]): WorkMetrics {
  const claims = counter(registry, 'claims_total', 'Looks of a worker at the queue.', ['outcome'])
  const attempts = histogram(registry, 'attempt_seconds', 'Attempts.', ['provider', 'outcome'], ATTEMPT_BUCKETS)
  const generations = counter(registry, 'generations_total', 'Generations that came to a status.', ['status'])
  const money = counter(registry, 'money_micros_total', 'Money moved, in micro-units.', ['kind'])
  const costs = counter(
    registry,
    'vendor_cost_micros_total',
    'Cost by the vendor and by the catalogue, in micro-units.',
    ['provider', 'source'],
  )
  const webhooks = counter(registry, 'webhook_attempts_total', 'Tries to send webhooks.', ['outcome'])
  const callbacks = counter(registry, 'vendor_callbacks_total', 'Calls of vendors about jobs.', ['provider', 'verdict'])
  const operations = counter(registry, 'storage_operations_total', 'Uses of the image storage.', ['operation'])
  const bytes = counter(registry, 'storage_bytes_total', 'Bytes through the image storage.', ['operation'])
  const events = counter(registry, 'events_published_total', 'Events given to the bus.', ['kind'])
  return {
    observeQueue: (read) => observeQueue(registry, read),
    claim: (outcome) => claims.inc({ outcome }),
    attempt: (provider, outcome, seconds) =>
      attempts.observe({ provider: within(providers, provider), outcome }, seconds),
    vendorCost: (name, { reportedMicros, expectedMicros }) => {
      const provider = within(providers, name)
      costs.inc({ provider, source: 'reported' }, reportedMicros)
      costs.inc({ provider, source: 'catalogue' }, expectedMicros)
    },
    webhook: (outcome) => webhooks.inc({ outcome }),
    vendorCallback: (provider, verdict) => callbacks.inc({ provider: within(providers, provider), verdict }),
    observeProviders: (read) => observeProviders(registry, providers, read),
    generation: (status) => generations.inc({ status }),
    money: (kind, amountMicros) => money.inc({ kind }, amountMicros),
    storage: (operation, sizeBytes) => {
      operations.inc({ operation })
      bytes.inc({ operation }, sizeBytes)
    },
    eventPublished: (kind) => events.inc({ kind: within(METRIC_LABELS.event, kind) }),
  }
}

function observeProviders(
  registry: Registry,
  providers: readonly string[],
  read: (provider: string) => MetricLabel<'health'>,
): void {
  new Gauge({
    name: 'pictor_provider_state',
    help: 'The state that a provider is in has the value 1.',
    labelNames: ['provider', 'state'],
    registers: [registry],
    collect() {
      for (const provider of providers) {
        const current = read(provider)
        for (const state of METRIC_LABELS.health) this.set({ provider, state }, state === current ? 1 : 0)
      }
    },
  })
}

type QueueState = { readonly depth: number; readonly oldestAgeSeconds: number }

/** Both gauges of one scrape come from one read; when it fails they keep what they had. */
function observeQueue(registry: Registry, read: () => Promise<QueueState>): void {
  let reading: Promise<QueueState | null> | null = null
  const readOnce = () => {
    reading ??= read()
      .catch(() => null)
      .finally(() => {
        reading = null
      })
    return reading
  }
  const queueGauge = (name: string, help: string, pick: (state: QueueState) => number) =>
    new Gauge({
      name: `pictor_${name}`,
      help,
      registers: [registry],
      async collect() {
        const state = await readOnce()
        if (state) this.set(pick(state))
      },
    })
  queueGauge('queue_depth', 'Jobs that wait.', (state) => state.depth)
  queueGauge('queue_oldest_age_seconds', 'How long the oldest job waits.', (state) => state.oldestAgeSeconds)
}

function within(allowed: readonly string[], value: string): string {
  return allowed.includes(value) ? value : 'other'
}

function counter<Label extends string = never>(registry: Registry, name: string, help: string, labels: Label[] = []) {
  return new Counter({ name: `pictor_${name}`, help, labelNames: labels, registers: [registry] })
}

function gauge<Label extends string = never>(registry: Registry, name: string, help: string, labels: Label[] = []) {
  return new Gauge({ name: `pictor_${name}`, help, labelNames: labels, registers: [registry] })
}

function histogram<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labels: Label[],
  buckets: number[] = REQUEST_BUCKETS,
) {
  return new Histogram({ name: `pictor_${name}`, help, labelNames: labels, buckets, registers: [registry] })
}
