import type { PassingEvent } from './generation-event.ts'

const PROGRESS_SLOT = -1
/** More previews than a generation has images at a time; above it the oldest slot goes. */
const MAX_SLOTS = 17

/**
 * The passing events that wait: one slot for progress and one for each preview's index, the latest wins. Made only while
 * something waits, so that an idle watcher pays nothing for it.
 */
export class PassingSlots {
  #slots: Map<number, PassingEvent> | null = null

  put(event: PassingEvent): void {
    this.#slots ??= new Map()
    this.#slots.set(event.preview?.index ?? PROGRESS_SLOT, event)
    if (this.#slots.size <= MAX_SLOTS) return
    for (const [slot] of this.#slots) {
      this.#slots.delete(slot)
      return
    }
  }

  /**
   * The first that belongs behind stored event `sequence`. What belongs to an earlier one is dropped: handing it out
   * would take the watcher's cursor back. What belongs to a later one waits for it.
   */
  take(sequence: number): PassingEvent | undefined {
    if (!this.#slots) return undefined
    for (const [slot, event] of this.#slots) {
      if (event.sequence > sequence) continue
      this.#slots.delete(slot)
      if (event.sequence === sequence) return event
    }
    if (this.#slots.size === 0) this.#slots = null
    return undefined
  }

  clear(): void {
    this.#slots = null
  }
}
