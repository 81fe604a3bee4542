import type { Clock } from '../clock.ts'
import type { EventListener } from './event-bus.ts'
import { type BusEvent, isStored, type LaggedEvent, type PassingEvent, type StoredEvent } from './generation-event.ts'
import { PassingSlots } from './passing-slots.ts'
import type { StreamRefresher } from './stream-refresher.ts'

export type StreamedEvent = StoredEvent | PassingEvent | LaggedEvent

export type EventStreamOptions = {
  /** At most `limit` events of the log whose order is above `after`, in order. */
  readonly read: (after: number, limit: number) => Promise<readonly StoredEvent[]>
  readonly orderOf: (event: StoredEvent) => number
  /**
   * true: the order counts 1, 2, 3, … (a generation's sequence), so the next event may be handed on as it is published.
   * false: it has holes (positions in an account's feed), so nobody can tell that a publish was lost: every publish is
   * just a reason to read the log, and passing events, which have no position, are left out.
   */
  readonly gapless: boolean
  readonly subscribe: (listener: EventListener) => () => void
  /** Order of the last event that the watcher has seen; 0: none. */
  readonly after: number
  /** The stream ends by itself behind such an event, also when `after` points at it. */
  readonly endsAfter: (event: StoredEvent) => boolean
  readonly refresher: Pick<StreamRefresher, 'add'>
  readonly clock: Clock
  /** A watcher that takes nothing for so long while stored events wait is ended. */
  readonly stallMs: number
  /** Stored events that may wait in memory. */
  readonly capacity?: number
  /** The watcher stalled: it reads nothing, so its connection is better closed. */
  readonly onLagged?: () => void
  /** Called once, however the stream ends. */
  readonly onClosed?: () => void
}

const DEFAULT_CAPACITY = 256
const MAX_READ_FAILURES = 3

/**
 * Every stored event after the cursor, once and in order, with the passing ones between them.
 *
 * It listens from its making, reads the log when asked for the first event, and drops by order what it has already. The
 * log is read again when a publish shows a hole, when a buffer was dropped, and at every refresh in which the watcher
 * waits. What is full, and then:
 * - stored events: above `capacity` all that wait are dropped and read from the log when the watcher takes on again;
 * - passing events: one slot for progress and one for each preview, the latest wins; an outdated one is dropped;
 * - time: a watcher that takes nothing for `stallMs` while stored events wait holds nothing any longer. It is taken off
 *   the bus, gets LAGGED should it ever ask again, and then the end. It resumes with its cursor.
 *
 * A read that fails is tried again at the next refresh; the third failure in a row ends the stream with its error.
 */
export function createEventStream(options: EventStreamOptions): EventStream {
  return new EventStream(options)
}

type Waiter = PromiseWithResolvers<IteratorResult<StreamedEvent, undefined>>
type FinalWord = { readonly value: LaggedEvent } | { readonly error: unknown }

/** Hand-written, because an idle async generator cannot be returned: its `return()` waits for the event it awaits. */
export class EventStream implements AsyncIterableIterator<StreamedEvent, undefined> {
  readonly #options: EventStreamOptions
  readonly #capacity: number
  readonly #slots = new PassingSlots()
  #unsubscribe: () => void
  #leaveRefresher: () => void
  #buffer: StoredEvent[] = []
  #waiters: Waiter[] = []
  /** Order of the last stored event that was handed out. */
  #delivered: number
  /** Highest order that a publish spoke of. */
  #announced: number
  /** The log may hold more than the buffer, whether or not a publish spoke of it. */
  #behind = true
  #begun = false
  #reading = false
  #readFailures = 0
  /** Since when the watcher has left stored events waiting; null: it has not. */
  #stalledSince: number | null
  #closed = false
  /** What the next `next()` says after the close. */
  #finalWord: FinalWord | null = null

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY
    this.#delivered = options.after
    this.#announced = options.after
    this.#stalledSince = options.clock.now()
    this.#unsubscribe = options.subscribe((event) => this.#accept(event))
    this.#leaveRefresher = options.refresher.add(this)
  }

  /** Order of the last stored event that was handed out: the cursor to go on from. */
  get delivered(): number {
    return this.#delivered
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<StreamedEvent, undefined>> {
    if (this.#closed) return this.#sayFinalWord()
    const waiter: Waiter = Promise.withResolvers()
    this.#waiters.push(waiter)
    this.#stalledSince = null
    this.#drain()
    return waiter.promise
  }

  return(): Promise<IteratorResult<StreamedEvent, undefined>> {
    this.#close(null)
    return Promise.resolve({ done: true, value: undefined })
  }

  throw(error: unknown): Promise<IteratorResult<StreamedEvent, undefined>> {
    this.#close(null)
    return Promise.reject(error)
  }

  /** For the refresher. */
  refresh(): void {
    const { clock, stallMs, onLagged } = this.#options
    if (this.#waiters.length > 0) {
      if (this.#reading) return
      this.#behind = true
      this.#read()
    } else if (this.#stalledSince !== null && clock.now() - this.#stalledSince >= stallMs) {
      this.#close({ value: { kind: 'LAGGED', at: clock.now() } })
      onLagged?.()
    }
  }

  #accept(event: BusEvent): void {
    if (this.#closed) return
    if (isStored(event)) this.#acceptStored(event)
    else if (this.#options.gapless) this.#acceptPassing(event)
    this.#drain()
  }

  #acceptStored(event: StoredEvent): void {
    const order = this.#options.orderOf(event)
    const tail = this.#tail()
    if (order <= tail) return
    if (order > this.#announced) this.#announced = order
    if (!this.#options.gapless || order !== tail + 1) return
    if (this.#buffer.length < this.#capacity) this.#buffer.push(event)
    else this.#buffer = []
  }

  #acceptPassing(event: PassingEvent): void {
    if (event.sequence > this.#announced) this.#announced = event.sequence
    if (event.sequence >= this.#delivered) this.#slots.put(event)
  }

  /** Hands out what waits to whoever waits, and reads the log when it holds more. */
  #drain(): void {
    while (this.#waiters.length > 0) {
      const value = this.#take()
      if (!value) break
      this.#waiters.shift()?.resolve({ done: false, value })
      if (isStoredValue(value) && this.#options.endsAfter(value)) this.#close(null)
    }
    if (this.#waiters.length > 0) {
      if (this.#isIncomplete() && this.#readFailures === 0) this.#read()
    } else if (!this.#closed && (this.#buffer.length > 0 || this.#isIncomplete())) {
      this.#stalledSince ??= this.#options.clock.now()
    }
  }

  #take(): StreamedEvent | undefined {
    const stored = this.#buffer.shift()
    if (!stored) return this.#slots.take(this.#delivered)
    this.#delivered = this.#options.orderOf(stored)
    return stored
  }

  #tail(): number {
    const last = this.#buffer.at(-1)
    return last ? this.#options.orderOf(last) : this.#delivered
  }

  #isIncomplete(): boolean {
    return this.#behind || this.#announced > this.#tail()
  }

  #read(): void {
    if (this.#reading || this.#closed) return
    this.#reading = true
    this.#behind = false
    const announced = this.#announced
    // The first read begins one earlier: the event under the cursor may be the one that the stream ends after.
    const from = this.#begun || this.#delivered === 0 ? this.#tail() : this.#delivered - 1
    this.#readLog(from).then(
      (events) => this.#merge(events, announced),
      (error: unknown) => this.#suffer(error),
    )
  }

  async #readLog(after: number): Promise<readonly StoredEvent[]> {
    return this.#options.read(after, this.#capacity)
  }

  #merge(events: readonly StoredEvent[], announcedBefore: number): void {
    this.#reading = false
    if (this.#closed) return
    const { orderOf, endsAfter, after } = this.#options
    const [first] = events
    if (!this.#begun && first && orderOf(first) === after && endsAfter(first)) {
      this.#close(null)
      return
    }
    this.#begun = true
    this.#readFailures = 0
    const fresh = events.filter((event) => orderOf(event) > this.#tail())
    const room = this.#capacity - this.#buffer.length
    this.#buffer.push(...fresh.slice(0, room))
    if (events.length >= this.#capacity || fresh.length > room) this.#behind = true
    // A publish spoke of more than the log shows. Asking again at once would spin; the next publish or refresh asks.
    else if (this.#announced === announcedBefore) this.#announced = this.#tail()
    this.#drain()
  }

  #suffer(error: unknown): void {
    this.#reading = false
    this.#behind = true
    this.#readFailures += 1
    if (!this.#closed && this.#readFailures >= MAX_READ_FAILURES) this.#close({ error })
  }

  #close(finalWord: FinalWord | null): void {
    if (this.#closed) {
      this.#finalWord = null
      return
    }
    this.#closed = true
    this.#finalWord = finalWord
    this.#unsubscribe()
    this.#leaveRefresher()
    this.#buffer = []
    this.#slots.clear()
    for (const waiter of this.#waiters.splice(0)) this.#sayFinalWord().then(waiter.resolve, waiter.reject)
    this.#options.onClosed?.()
  }

  #sayFinalWord(): Promise<IteratorResult<StreamedEvent, undefined>> {
    const word = this.#finalWord
    this.#finalWord = null
    if (!word) return Promise.resolve({ done: true, value: undefined })
    return 'error' in word ? Promise.reject(word.error) : Promise.resolve({ done: false, value: word.value })
  }
}

function isStoredValue(value: StreamedEvent): value is StoredEvent {
  return value.kind !== 'LAGGED' && isStored(value)
}
