import type { GenerationStatus, StoredEventKind } from '../store/tables.ts'

/** A row of the event log: immutable, numbered without gap within its generation. */
export type StoredEvent = {
  readonly generationId: string
  readonly accountId: string
  readonly endUser: string | null
  /** Order over all generations; the cursor of an account's feed. */
  readonly position: number
  readonly sequence: number
  readonly kind: StoredEventKind
  readonly status: GenerationStatus
  readonly previousStatus: GenerationStatus | null
  readonly imageId: string | null
  readonly message: string | null
  /** JSON Problem of generation/generation-types.ts, opaque here. */
  readonly problem: unknown
  readonly at: number
}

/** A provisional picture, by reference: the bytes wait in the preview store. */
export type PreviewReference = {
  readonly previewId: string
  readonly index: number
  readonly width: number | null
  readonly height: number | null
}

/** Passes by and is never stored. Carries the sequence of the last stored event. */
export type PassingEvent = {
  readonly kind: 'PROGRESS' | 'PREVIEW'
  readonly generationId: string
  readonly accountId: string
  readonly endUser: string | null
  readonly sequence: number
  readonly progress: number | null
  readonly message: string | null
  readonly preview: PreviewReference | null
  readonly at: number
}

/** The watcher was too slow and is being ended; it subscribes again with the cursor. */
export type LaggedEvent = { readonly kind: 'LAGGED'; readonly at: number }

export type BusEvent = StoredEvent | PassingEvent

export function isStored(event: BusEvent): event is StoredEvent {
  return event.kind !== 'PROGRESS' && event.kind !== 'PREVIEW'
}
