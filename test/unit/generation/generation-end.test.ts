import { describe, expect, it } from 'vitest'
import { watchToEnd } from '../../../src/generation/generation-end.ts'
import type { Generation } from '../../../src/generation/generation-types.ts'
import type { WatchedEvent } from '../../../src/generation/services.ts'
import { viewerOf } from '../../support/house.ts'
import { generation, storedEvent } from '../graphql/rows.ts'

const VIEWER = viewerOf('acc_1')

type Told = { readonly watched: WatchedEvent } | { readonly wait: true }

function at(sequence: number, status: Generation['status']): WatchedEvent {
  const kind = status === 'RUNNING' ? 'STARTED' : status === 'QUEUED' ? 'QUEUED' : status
  return { event: storedEvent({ sequence, status, kind }), cursor: `c${sequence}`, generation: generation({ status }) }
}

function lagged(cursor: string): WatchedEvent {
  return { event: { kind: 'LAGGED', at: 0 }, cursor, generation: generation() }
}

/** One list of events for each time that it is watched; the last waits for ever where it does not end. */
function watcherOf(...lists: readonly (readonly WatchedEvent[])[]) {
  const asked: (string | null)[] = []
  let returned = 0
  return {
    asked,
    returned: () => returned,
    watch: async (_viewer: unknown, _id: string, after: string | null) => {
      asked.push(after)
      const told: Told[] = (lists[asked.length - 1] ?? []).map((watched) => ({ watched }))
      const isLast = asked.length === lists.length
      const ended = Promise.withResolvers<IteratorResult<WatchedEvent, undefined>>()
      const done = { done: true, value: undefined } as const
      const iterator: AsyncIterableIterator<WatchedEvent> = {
        async next() {
          const next = told.shift()
          if (next && 'watched' in next) return { done: false, value: next.watched }
          return isLast ? ended.promise : done
        },
        async return() {
          returned += 1
          ended.resolve(done)
          return done
        },
        [Symbol.asyncIterator]: () => iterator,
      }
      return iterator
    },
  }
}

describe('watching to the end', () => {
  it('tells of every event before the last, and answers with what has ended', async () => {
    const watcher = watcherOf([at(1, 'QUEUED'), at(2, 'RUNNING'), at(3, 'COMPLETED')])
    const seen: string[] = []
    const onEvent = ({ cursor }: WatchedEvent) => void seen.push(cursor)
    const { signal } = new AbortController()
    expect((await watchToEnd(watcher, VIEWER, 'gen_1', { signal, onEvent }))?.status).toBe('COMPLETED')
    expect(seen).toEqual(['c1', 'c2'])
    expect(watcher.returned()).toBe(1)
  })

  it('goes on where a slow watcher was left behind', async () => {
    const watcher = watcherOf([at(1, 'QUEUED'), lagged('c1')], [at(2, 'RUNNING'), at(3, 'FAILED')])
    const { signal } = new AbortController()
    expect((await watchToEnd(watcher, VIEWER, 'gen_1', { signal }))?.status).toBe('FAILED')
    expect(watcher.asked).toEqual([null, 'c1'])
  })

  it('lets go when the signal comes while nothing happens', async () => {
    const watcher = watcherOf([at(1, 'QUEUED')])
    const stop = new AbortController()
    const seen = Promise.withResolvers<void>()
    const watched = watchToEnd(watcher, VIEWER, 'gen_1', { signal: stop.signal, onEvent: () => seen.resolve() })
    await seen.promise
    stop.abort()
    expect(await watched).toBeNull()
    expect(watcher.returned()).toBeGreaterThan(0)
  })

  it('watches nothing where the signal has come before', async () => {
    const watcher = watcherOf([])
    expect(await watchToEnd(watcher, VIEWER, 'gen_1', { signal: AbortSignal.abort() })).toBeNull()
    expect(watcher.asked).toEqual([])
  })
})
