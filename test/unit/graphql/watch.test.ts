import { describe, expect, it } from 'vitest'
import { RequestError } from '../../../src/errors.ts'
import type { PassingEvent } from '../../../src/events/generation-event.ts'
import type { WatchedEvent } from '../../../src/generation/services.ts'
import { createStatusStream } from '../../../src/graphql/status-stream.ts'
import { createFakeWorld } from './fake-world.ts'
import { generation, image, PROBLEM, storedEvent } from './rows.ts'
import { collect, describe as describeError, streamOf, watch } from './run.ts'

const WATCH = `subscription ($after: String) {
  imageStatus(id: "gen_1", after: $after) { cursor sequence kind status previousStatus progress message
    image { id } preview { url index } problem { code } generation { id status sequence } }
}`

const NOW = generation({ status: 'COMPLETED', sequence: 9 })

function watched(event: WatchedEvent['event'], cursor: string): WatchedEvent {
  return { event, cursor, generation: NOW }
}

const PROGRESS: PassingEvent = {
  kind: 'PROGRESS',
  generationId: 'gen_1',
  accountId: 'acc_1',
  endUser: null,
  sequence: 2,
  progress: 0.25,
  message: 'Mixing colours.',
  preview: null,
  at: 0,
}
const PREVIEW: PassingEvent = {
  ...PROGRESS,
  kind: 'PREVIEW',
  progress: null,
  message: null,
  preview: { previewId: 'pre_1', index: 0, width: null, height: null },
}

const QUIET = { message: null, image: null, preview: null, problem: null, progress: null, previousStatus: null }

async function show(...events: WatchedEvent[]) {
  const world = createFakeWorld()
  world.watched = streamOf(events)
  world.generations.push(NOW)
  world.images.push(image())
  const results = await collect(await watch(WATCH, world.context()))
  expect(results.flatMap(({ errors = [] }) => errors)).toEqual([])
  return { world, shown: results.map(({ data }) => data?.imageStatus) }
}

describe('a watcher', () => {
  it('is told of stored events as they were, with the generation as it is', async () => {
    const { shown } = await show(
      watched(storedEvent(), 'c1'),
      watched(storedEvent({ sequence: 3, kind: 'IMAGE_READY', status: 'RUNNING', imageId: 'img_1' }), 'c3'),
      watched(
        storedEvent({ sequence: 4, kind: 'FAILED', status: 'FAILED', previousStatus: 'RUNNING', problem: PROBLEM }),
        'c4',
      ),
      watched(storedEvent({ sequence: 5, kind: 'COMPLETED', status: 'COMPLETED' }), 'c5'),
    )
    const now = { generation: { id: 'gen_1', status: 'COMPLETED', sequence: 9 } }
    expect(shown).toEqual([
      { ...QUIET, ...now, cursor: 'c1', sequence: 1, kind: 'QUEUED', status: 'QUEUED' },
      { ...QUIET, ...now, cursor: 'c3', sequence: 3, kind: 'IMAGE_READY', status: 'RUNNING', image: { id: 'img_1' } },
      {
        ...QUIET,
        ...now,
        cursor: 'c4',
        sequence: 4,
        kind: 'FAILED',
        status: 'FAILED',
        previousStatus: 'RUNNING',
        problem: { code: 'REFUSED' },
      },
      { ...QUIET, ...now, cursor: 'c5', sequence: 5, kind: 'COMPLETED', status: 'COMPLETED', progress: 1 },
    ])
  })

  it('is told of passing events with the sequence of the last stored one', async () => {
    const { shown } = await show(watched(PROGRESS, 'c2'), watched(PREVIEW, 'c2'))
    expect(shown).toMatchObject([
      { cursor: 'c2', sequence: 2, kind: 'PROGRESS', status: 'RUNNING', progress: 0.25, message: 'Mixing colours.' },
      { kind: 'PREVIEW', progress: null, preview: { url: 'https://pictor.test/previews/pre_1', index: 0 } },
    ])
  })

  it('that lagged is told so without a sequence that it has not seen', async () => {
    const { shown } = await show(watched(storedEvent({ sequence: 2 }), 'c2'), watched({ kind: 'LAGGED', at: 0 }, 'c2'))
    expect(shown[1]).toMatchObject({
      kind: 'LAGGED',
      cursor: 'c2',
      sequence: 2,
      message: expect.stringContaining('slow'),
    })
  })

  it('costs no query for the generation of an event', async () => {
    const { world } = await show(watched(storedEvent(), 'c1'), watched(storedEvent({ sequence: 2 }), 'c2'))
    expect(world.calls).toEqual([['watch', 'gen_1', null]])
  })

  it('sees in each event what is then stored, not what an earlier event loaded', async () => {
    const world = createFakeWorld()
    world.generations.push(NOW)
    world.watched = streamOf([watched(storedEvent(), 'c1'), watched(storedEvent({ sequence: 2 }), 'c2')])
    const query = 'subscription { imageStatus(id: "gen_1") { generation { images { id } } } }'
    const events = await watch(query, world.context())
    expect((await events.next()).value.data).toEqual({ imageStatus: { generation: { images: [] } } })
    world.images.push(image())
    expect((await events.next()).value.data).toEqual({ imageStatus: { generation: { images: [{ id: 'img_1' }] } } })
  })
})

describe('subscribing', () => {
  it('goes on after the argument, else after the id that SSE remembers', async () => {
    for (const [after, lastEventId, from] of [
      ['c1', 'c0', 'c1'],
      [null, 'c0', 'c0'],
      [undefined, null, null],
    ]) {
      const world = createFakeWorld()
      world.watched = streamOf([])
      await watch(WATCH, world.context({ lastEventId: lastEventId ?? null }), { after })
      await watch(
        'subscription ($after: String) { historyUpdates(after: $after) { kind } }',
        world.context({ lastEventId: lastEventId ?? null }),
        { after },
      )
      expect(world.calls).toEqual([
        ['watch', 'gen_1', from],
        ['watchAll', from],
      ])
    }
  })

  it('ends at once with the error of the watcher', async () => {
    const world = createFakeWorld()
    world.failure = new RequestError('NOT_FOUND', 'No such generation.')
    const error = await watch(WATCH, world.context()).catch(describeError)
    expect(error).toMatchObject({ message: 'No such generation.', extensions: { code: 'NOT_FOUND' } })
  })

  it('lets go of the watcher when the client goes while nothing happens', async () => {
    const world = createFakeWorld()
    const idle = createIdleSource()
    world.watched = idle
    const events = await watch(WATCH, world.context())
    const pending = events.next()
    await events.return?.()
    expect(idle.returned()).toBe(1)
    expect(await pending).toEqual({ done: true, value: undefined })
  })
})

/** Says nothing until it is let go. */
function createIdleSource() {
  let returned = 0
  const end = Promise.withResolvers<IteratorResult<WatchedEvent>>()
  const source: AsyncIterableIterator<WatchedEvent> & { returned(): number } = {
    next: () => end.promise,
    async return() {
      returned += 1
      end.resolve({ done: true, value: undefined })
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => source,
    returned: () => returned,
  }
  return source
}

describe('a status stream', () => {
  it('notes the cursor of an event when it hands it out, not before', async () => {
    const stream: { cursor: string | null } = { cursor: null }
    const events = createStatusStream(streamOf([watched(storedEvent(), 'c1'), watched(PROGRESS, 'c2')]), stream)
    expect(stream.cursor).toBeNull()
    await events.next()
    expect(stream.cursor).toBe('c1')
    await events.next()
    expect(stream.cursor).toBe('c2')
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect(stream.cursor).toBe('c2')
  })

  it('ends its source when it is told to throw', async () => {
    const idle = createIdleSource()
    const events = createStatusStream(idle, { cursor: null })
    await expect(events.throw?.(new Error('stop'))).rejects.toThrow('stop')
    expect(idle.returned()).toBe(1)
  })

  it('hands on an error of its source', async () => {
    const source = streamOf([])
    source.next = () => Promise.reject(new RequestError('UNAVAILABLE', 'Draining.'))
    await expect(createStatusStream(source, { cursor: null }).next()).rejects.toThrow('Draining.')
  })
})
