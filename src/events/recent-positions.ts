const MAX_POSITIONS = 5_000

/** The events that were handed out last, so that none comes twice because it was both published here and read. */
export class RecentPositions {
  readonly #positions = new Set<number>()

  /** false: it has been here. */
  add(position: number): boolean {
    if (this.#positions.has(position)) return false
    this.#positions.add(position)
    if (this.#positions.size <= MAX_POSITIONS) return true
    for (const oldest of this.#positions) {
      this.#positions.delete(oldest)
      break
    }
    return true
  }
}
