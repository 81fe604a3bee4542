import { RequestError } from '../errors.ts'

export type LargeBodyLimits = {
  readonly atOnce: number
  /** So that one account's uploads do not keep all others waiting. */
  readonly perAccount: number
  readonly waiting: number
}

/** How many bodies are in memory that hold more than a few words: those that come with pictures. */
export type LargeBodies = { open(): LargeBody }

export type LargeBody = {
  /** Waits for its turn. Throws UNAVAILABLE where too many wait already. */
  enter(accountId: string): Promise<void>
  /** At the end, whether it has entered, still waits or never asked. Harmless when called again. */
  leave(): void
}

type Place = { readonly accountId: string; readonly turn: PromiseWithResolvers<void> }

export function createLargeBodies(limits: LargeBodyLimits): LargeBodies {
  const inside = new Set<Place>()
  const waiting = new Set<Place>()

  function hasRoom({ accountId }: Place): boolean {
    const own = [...inside].filter((place) => place.accountId === accountId).length
    return inside.size < limits.atOnce && own < limits.perAccount
  }

  function letIn(): void {
    for (const place of waiting) {
      if (!hasRoom(place)) continue
      waiting.delete(place)
      inside.add(place)
      place.turn.resolve()
    }
  }

  return {
    open() {
      let place: Place | null = null
      let isOver = false
      return {
        async enter(accountId) {
          if (isOver) throw new Error('This body is over.')
          place = { accountId, turn: Promise.withResolvers() }
          // Whoever waits has no room, so that nobody is passed over.
          if (!hasRoom(place) && waiting.size >= limits.waiting) {
            throw new RequestError('UNAVAILABLE', 'Too many pictures are being sent right now. Try again in a moment.')
          }
          waiting.add(place)
          letIn()
          await place.turn.promise
        },
        leave() {
          isOver = true
          if (place === null) return
          waiting.delete(place)
          if (inside.delete(place)) letIn()
        },
      }
    },
  }
}
