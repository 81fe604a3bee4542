import type { Clock } from '../clock.ts'

/** A socket or an event stream: something that lives as long as its client wants, unless we end it. */
export type LongConnection = {
  /** Politely, so that the client comes back. */
  close(): void
  /** At once. */
  terminate(): void
}

export type ConnectionRegistry = {
  /** Returns how to take it out again. */
  add(connection: LongConnection): () => void
  size(): number
  /**
   * Closes all in random order, in batches spread over half of the time, so that the clients do not all come back in the
   * same moment; what is left at the deadline is cut.
   */
  drain(graceMs: number): Promise<void>
}

const BATCHES = 20

export function createConnectionRegistry(deps: { clock: Clock; random(): number }): ConnectionRegistry {
  const { clock, random } = deps
  const connections = new Set<LongConnection>()
  const onEmpty = new Set<() => void>()

  function remove(connection: LongConnection): void {
    connections.delete(connection)
    if (connections.size > 0) return
    for (const run of onEmpty) run()
  }

  async function closeInBatches(windowMs: number, stop: AbortSignal): Promise<void> {
    const waiting = shuffle([...connections], random)
    const batchSize = Math.ceil(waiting.length / BATCHES)
    for (let start = 0; start < waiting.length && !stop.aborted; start += batchSize) {
      if (start > 0) await clock.sleep((windowMs / BATCHES) * (0.5 + random() / 2), stop)
      for (const connection of waiting.slice(start, start + batchSize)) connection.close()
    }
  }

  return {
    add(connection) {
      connections.add(connection)
      return () => remove(connection)
    },
    size: () => connections.size,
    async drain(graceMs) {
      if (connections.size === 0) return
      const done = new AbortController()
      const finish = () => done.abort()
      onEmpty.add(finish)
      void closeInBatches(graceMs / 2, done.signal)
      if (graceMs > 0) await clock.sleep(graceMs, done.signal)
      finish()
      onEmpty.delete(finish)
      for (const connection of [...connections]) connection.terminate()
    },
  }
}

function shuffle<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
