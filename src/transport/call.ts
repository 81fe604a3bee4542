import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Viewer } from '../viewer.ts'
import type { EventSource, StreamEnd } from './event-stream.ts'
import type { TransportLimits } from './limits.ts'
import type { RequestInfo } from './request-facts.ts'

/** One call of a door whose calls are fixed, by a caller who is known and has been counted. */
export type Call = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly info: RequestInfo
  readonly viewer: Viewer
  /** Aborts when the caller has gone. What has begun to be written must ignore it. */
  readonly signal: AbortSignal
  /** CallRefusedError where it is longer; a long one waits for its turn. Call it once. */
  readBody(maxBytes: number): Promise<Buffer<ArrayBuffer>>
  /** The body is no longer needed: another may come in. */
  releaseBody(): void
  /** Settles as the work does; UNAVAILABLE where that takes longer than an operation may. It goes on all the same. */
  inTime<Result>(work: Promise<Result>): Promise<Result>
  /** Sets the rate limit headers as they stand now: right before a head is written that `answer` does not write. */
  setLimitHeaders(): Promise<void>
  /** Answers with JSON no faster than it is read; who takes nothing of it is cut off. */
  answer(status: number, body: object): Promise<void>
  /** Takes a place among the account's subscriptions, as whoever watches does. RATE_LIMITED where it has too many. */
  hold(options: HoldOptions): Promise<Hold>
  /**
   * Waits for its turn to hold pictures whole, among the calls of all doors. It ends with what this gives, or when the
   * answer is out or nobody waits for it. UNAVAILABLE where too many wait, and where the caller goes meanwhile.
   */
  holdPictures(): Promise<() => void>
  /** Answers with server-sent events, as slowly as they are read; resolves when nothing more will be written. */
  writeEvents<Item>(source: EventSource<Item>): Promise<StreamEnd>
}

export type HoldOptions = {
  /** How long it may last; null: as long as the caller stays. */
  readonly limitMs: number | null
  readonly transport: 'http' | 'sse'
}

/** Why a wait is over before what it waits for: the caller went, the server stops, the key ended, the time is over. */
export type HoldEnd = 'CLIENT' | 'DRAIN' | 'CREDENTIALS' | 'LIMIT'

/** A caller who waits or reads a stream. */
export type Hold = {
  readonly signal: AbortSignal
  /** null while it lasts. */
  endedBy(): HoldEnd | null
  /** Always, at the end. Harmless when called again. */
  release(): void
}

/** Knows callers, counts them, and lets them wait: the same for every door. */
export type CallDesk = {
  readonly limits: TransportLimits

  /**
   * Authenticates by the headers and counts one operation, before a byte of the body is looked at, and calls `run`.
   * Rejects with what is refused, and with what `run` throws; the rate limit headers are set then.
   */
  serve(exchange: Exchange, run: (call: Call) => Promise<void>): Promise<void>
}

export type Exchange = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly info: RequestInfo
}
