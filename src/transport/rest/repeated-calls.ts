import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Viewer } from '../../viewer.ts'

/**
 * SDKs send a call again by themselves when its answer was cut off, without an idempotency key. What such a repetition
 * asks for has been made or is being made: it is led to that, and not paid for again. Which answers got out is known to
 * this process alone; for what another one has begun, or this one before it was started anew, see `keyOfMark`.
 */
export type RepeatedCalls = {
  /** What the same call has begun and nobody was told of; null: nothing. Rather one that nobody waits for any more. */
  find(mark: string): BegunCall | null
  remember(mark: string, made: Promise<string>): BegunCall
  /** Whether the answer with this generation got out here, lately. */
  wasTold(generationId: string): boolean
}

/** In the hands of one call, which says at its end how it was: harmless when more is said. */
export type BegunCall = {
  /** Id of the generation. */
  readonly made: Promise<string>
  /** The answer is out. */
  told(): void
  /** It is not, and its caller has gone. */
  lost(): void
}

type Entry = { readonly mark: string; readonly made: Promise<string>; readonly at: number; isAwaited: boolean }

export const REMEMBERED_MS = 15 * 60_000
const REMEMBERED = 10_000

export function createRepeatedCalls({ clock }: { readonly clock: Pick<Clock, 'now'> }): RepeatedCalls {
  const open = new Set<Entry>()
  /** By id, with the moment: in the order of being told. */
  const told = new Map<string, number>()

  function forgetOld(): void {
    for (const entry of open) {
      if (open.size <= REMEMBERED && entry.at > clock.now() - REMEMBERED_MS) return
      open.delete(entry)
    }
  }

  function noteTold(id: string): void {
    told.set(id, clock.now())
    for (const [each, at] of told) {
      if (told.size <= REMEMBERED && at > clock.now() - REMEMBERED_MS) return
      told.delete(each)
    }
  }

  function hand(entry: Entry): BegunCall {
    entry.isAwaited = true
    return {
      made: entry.made,
      told: () => {
        open.delete(entry)
        entry.made.then(noteTold, () => undefined)
      },
      lost: () => {
        entry.isAwaited = false
      },
    }
  }

  return {
    find(mark) {
      forgetOld()
      const same = [...open].filter((entry) => entry.mark === mark)
      // That the first caller has gone may not have come through yet.
      const entry = same.find(({ isAwaited }) => !isAwaited) ?? same[0]
      return entry === undefined ? null : hand(entry)
    },
    remember(mark, made) {
      const entry = { mark, made, at: clock.now(), isAwaited: true }
      open.add(entry)
      forgetOld()
      // What was refused has begun nothing.
      made.catch(() => open.delete(entry))
      return hand(entry)
    },
    wasTold: (generationId) => told.has(generationId),
  }
}

/** What keys of calls with this mark begin with, which have none of their own: it outlives the process, and each is another. */
export function keyPrefixOf(mark: string): string {
  return `sdk-${createHash('sha256').update(mark).digest('hex')}-`
}

export function keyOfMark(mark: string): string {
  return `${keyPrefixOf(mark)}${randomBytes(16).toString('hex')}`
}

/** The same for the same words of the same caller alone. */
export function markOf({ accountId, apiKeyId, tokenId }: Viewer, kind: string, digest: string): string {
  return [accountId, apiKeyId, tokenId, kind, digest].join(' ')
}
