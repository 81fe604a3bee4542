import type { EventBus } from '../events/event-bus.ts'
import type { StoredEvent } from '../events/generation-event.ts'
import type { Database, Trx } from '../store/database.ts'
import { lockAccountFeed } from '../store/dialect.ts'
import { insertEvent } from '../store/event-store.ts'
import type { GenerationRow, StoredEventKind } from '../store/tables.ts'
import type { Problem } from './generation-types.ts'
import { toJson } from './records.ts'

/** What an event says beyond the generation's own state. */
export type EventDetails = {
  readonly kind: StoredEventKind
  readonly previousStatus: StoredEvent['previousStatus']
  readonly at: number
  readonly imageId?: string
  readonly message?: string
  readonly problem?: Problem
  /** What the ledger did in the same transaction: told to the metrics once it has committed, not stored. */
  readonly moved?: readonly MoneyMoved[]
}

export type MoneyMoved = { readonly kind: 'held' | 'captured' | 'released'; readonly amountMicros: number }

/** Of the generation as it is after the change that the event tells of. */
export type EventSubject = Pick<GenerationRow, 'id' | 'accountId' | 'endUser' | 'sequence' | 'status' | 'webhookUrl'>

export type AppendEvent = (trx: Trx, subject: EventSubject, details: EventDetails) => Promise<void>

/**
 * Events are written in the transaction that changes the state and published after its commit. A crash in between loses
 * a publish, never an event: the table is the truth, the bus a hint.
 */
export type EventLog = {
  transact<T>(work: (trx: Trx, append: AppendEvent) => Promise<T>): Promise<T>
  /** For transactions that somebody else opens: publish what `append` collected once they have committed. */
  batch(): { readonly append: AppendEvent; clear(): void; publish(): void }
}

/** Messages to be sent because of an event: `add` writes them down in its transaction, and says whether there are any. */
export type Outbox = {
  add(trx: Trx, event: Omit<StoredEvent, 'position' | 'problem'>, webhookUrl: string | null): Promise<boolean>
  /** They have been committed. */
  nudge(): void
}

export function createEventLog(deps: {
  db: Database
  bus: EventBus
  outbox: Outbox
  onMoved: (moved: MoneyMoved) => void
}): EventLog {
  const { db, bus, outbox, onMoved } = deps
  const batch: EventLog['batch'] = () => {
    let events: StoredEvent[] = []
    let moves: MoneyMoved[] = []
    let isPosted = false
    return {
      async append(trx, subject, details) {
        await lockAccountFeed(trx, subject.accountId)
        const event = await write(trx, subject, details)
        events.push(event)
        if (await outbox.add(trx, event, subject.webhookUrl)) isPosted = true
        moves.push(...(details.moved ?? []))
      },
      // A transaction that is run again collects again.
      clear: () => {
        events = []
        moves = []
        isPosted = false
      },
      publish: () => {
        for (const event of events) bus.publish(event)
        for (const moved of moves) onMoved(moved)
        if (isPosted) outbox.nudge()
      },
    }
  }

  return {
    batch,
    async transact(work) {
      const { append, clear, publish } = batch()
      const result = await db.transact((trx) => {
        clear()
        return work(trx, append)
      })
      publish()
      return result
    },
  }
}

async function write(trx: Trx, subject: EventSubject, details: EventDetails): Promise<StoredEvent> {
  const event = {
    generationId: subject.id,
    accountId: subject.accountId,
    endUser: subject.endUser,
    sequence: subject.sequence,
    kind: details.kind,
    status: subject.status,
    previousStatus: details.previousStatus,
    imageId: details.imageId ?? null,
    message: details.message ?? null,
    at: details.at,
  }
  const problem = details.problem ?? null
  const position = await insertEvent(trx, { ...event, problem: toJson(problem) })
  return { ...event, problem, position }
}
