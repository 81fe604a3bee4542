import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventStream } from '../../../src/events/event-stream.ts'
import type { BusEvent, StoredEvent } from '../../../src/events/generation-event.ts'
import { createEventLog, type EventLog, passingEvent, settle } from './event-log.ts'

/** What may happen to a watcher, in any order. fast-check prints the seed and the shortest failing story. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('commit' as const), publish: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deliverLate' as const), which: fc.nat({ max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), back: fc.nat({ max: 2 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pull' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('snapshotRead' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finishRead' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failRead' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refresh' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), after: fc.nat({ max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

type Watch = { readonly from: number; readonly seen: BusEvent[]; ended: boolean; pulls: number }

/** Plays a story on one log: each cut returns the stream and opens another at a cursor that the watcher has held. */
class Story {
  readonly log: EventLog = createEventLog()
  readonly watches: Watch[] = []
  readonly late: BusEvent[] = []
  readonly #gapless: boolean
  readonly #capacity: number
  readonly #snapshots: { resolve(events: readonly StoredEvent[]): void; events: readonly StoredEvent[] }[] = []
  #stream: EventStream
  #failures = 0

  constructor(gapless: boolean, capacity: number) {
    this.#gapless = gapless
    this.#capacity = capacity
    this.#stream = this.#open(0)
  }

  orderOf = (event: StoredEvent): number => (this.#gapless ? event.sequence : event.position)

  get watch(): Watch {
    const watch = this.watches.at(-1)
    if (!watch) throw new Error('No watch was opened.')
    return watch
  }

  async play(move: Step): Promise<void> {
    switch (move.do) {
      case 'commit':
        return this.#commit(move.publish)
      case 'deliverLate': {
        const [event] = this.late.splice(move.which, 1)
        if (event) this.log.publish(event)
        return
      }
      case 'pass':
        return this.log.publish(passingEvent({ sequence: Math.max(0, this.log.stored.length - move.back) }))
      case 'pull':
        return this.pull()
      case 'snapshotRead':
        return this.snapshotRead()
      case 'finishRead':
        return this.finishRead()
      case 'failRead':
        return this.#failRead()
      case 'refresh':
        for (const stream of this.log.refreshables) stream.refresh()
        return
      case 'cut':
        return this.#cut(move.after)
      case 'settle':
        return settle()
    }
  }

  pull(): void {
    const { watch } = this
    watch.pulls += 1
    void this.#stream.next().then(({ value }) => {
      watch.pulls -= 1
      if (value === undefined) watch.ended = true
      else if (value.kind !== 'LAGGED') watch.seen.push(value)
    })
  }

  snapshotRead(): void {
    const read = this.log.reads.shift()
    if (read) this.#snapshots.push({ resolve: read.resolve, events: read.answer() })
  }

  finishRead(): void {
    const snapshot = this.#snapshots.shift()
    if (!snapshot) return
    this.#failures = 0
    snapshot.resolve(snapshot.events)
  }

  #open(after: number): EventStream {
    this.watches.push({ from: after, seen: [], ended: false, pulls: 0 })
    this.#failures = 0
    return this.log.open({
      gapless: this.#gapless,
      orderOf: this.orderOf,
      capacity: this.#capacity,
      after,
      endsAfter: (event) => this.#gapless && event.kind === 'COMPLETED',
    })
  }

  /** 0: the publish is lost; 1: it comes; 2: it comes twice; 3: it comes late, or never. */
  #commit(publish: number): void {
    if (this.log.stored.at(-1)?.kind === 'COMPLETED') return
    const event = this.log.commit()
    if (publish === 3) this.late.push(event)
    for (let times = 0; times < publish % 3; times++) this.log.publish(event)
  }

  #failRead(): void {
    if (this.#failures === 2) return
    const read = this.log.reads.shift()
    if (!read) return
    this.#failures += 1
    read.reject(new Error('busy'))
  }

  async #cut(after: number): Promise<void> {
    await settle()
    const pulls = this.watch.pulls
    await this.#stream.return()
    await settle()
    expect([this.watch.pulls, this.log.listeners.size, this.log.refreshables.size]).toEqual([0, 0, 0])
    if (pulls > 0) expect(this.watch.ended).toBe(true)
    const held = [this.watch.from, ...this.watch.seen.filter(isOfLog).map(this.orderOf)]
    this.#stream = this.#open(held[after % held.length] ?? 0)
  }

  /** The faults stop; the watcher reads on until it has everything or the stream ends. */
  async finish(): Promise<void> {
    this.log.commit({ kind: 'COMPLETED', status: 'COMPLETED' })
    const last = this.log.stored.length * 10
    for (let round = 0; round < last && !this.isThrough(); round++) {
      if (this.watch.pulls === 0) this.pull()
      await settle()
      for (const stream of this.log.refreshables) stream.refresh()
      this.snapshotRead()
      this.finishRead()
      await settle()
    }
  }

  isThrough(): boolean {
    return this.#gapless ? this.watch.ended : this.watch.seen.filter(isOfLog).at(-1) === this.log.stored.at(-1)
  }

  async dispose(): Promise<void> {
    await this.#stream.return()
    await settle()
  }
}

function isOfLog(event: BusEvent): event is StoredEvent {
  return event.kind !== 'PROGRESS' && event.kind !== 'PREVIEW'
}

/** Exactly what the log holds behind the watch's cursor, from its beginning and without hole or repeat. */
function assertPrefix(story: Story, watch: Watch, whole: boolean): void {
  const expected = story.log.stored.filter((event) => story.orderOf(event) > watch.from)
  const seen = watch.seen.filter(isOfLog)
  expect(seen.map(story.orderOf)).toEqual(expected.slice(0, whole ? undefined : seen.length).map(story.orderOf))
}

/** A passing event comes behind the stored one that it names, before the next, and never behind the last. */
function assertPassing(watch: Watch): void {
  let sequence = watch.from
  for (const event of watch.seen) {
    if (isOfLog(event)) sequence = event.sequence
    else expect(event.sequence).toBe(sequence)
  }
  const terminal = watch.seen.findIndex((event) => event.kind === 'COMPLETED')
  if (terminal >= 0) expect(terminal).toBe(watch.seen.length - 1)
}

async function runStory(gapless: boolean, capacity: number, steps: readonly Step[]): Promise<void> {
  const story = new Story(gapless, capacity)
  for (const move of steps) await story.play(move)
  await story.finish()
  expect(story.isThrough()).toBe(true)
  for (const watch of story.watches) {
    assertPrefix(story, watch, watch === story.watch)
    if (gapless) assertPassing(watch)
  }
  await story.dispose()
  expect([story.log.listeners.size, story.log.refreshables.size]).toEqual([0, 0])
}

const story = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }))

describe('event stream: any order of things', () => {
  it("shows each of a generation's stored events exactly once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(story, ([capacity, steps]) => runStory(true, capacity, steps)),
      { numRuns: 400 },
    )
  })

  it("shows each of an account's stored events exactly once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(story, ([capacity, steps]) => runStory(false, capacity, steps)),
      { numRuns: 400 },
    )
  })
})
