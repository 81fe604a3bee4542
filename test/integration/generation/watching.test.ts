import { beforeEach, describe, expect, it } from 'vitest'
import type { WatchedEvent } from '../../../src/generation/services.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { buildHouse, type House } from '../../support/house.ts'
import { answer, holds, makesAll } from '../../support/scripted-provider.ts'
import { createTinyPng } from '../../support/tiny-png.ts'

const WHOLE = ['QUEUED', 'STARTED', 'IMAGE_READY', 'IMAGE_READY', 'COMPLETED']

describeOnEachDatabase('watching', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account()
  })

  const watch = (id: string, after: string | null = null, who = viewer) => house.domain.watcher.watch(who, id, after)
  const watchAll = (after: string | null = null, who = viewer) => house.domain.watcher.watchAll(who, after)
  const kindsOf = (events: readonly WatchedEvent[]) => events.map(({ event }) => event.kind)

  async function take(stream: AsyncIterableIterator<WatchedEvent>, count: number): Promise<WatchedEvent[]> {
    const taken: WatchedEvent[] = []
    while (taken.length < count) {
      const { value } = await stream.next()
      taken.push(value)
    }
    return taken
  }

  async function toEnd(stream: AsyncIterableIterator<WatchedEvent>): Promise<WatchedEvent[]> {
    const events: WatchedEvent[] = []
    for await (const event of stream) events.push(event)
    return events
  }

  describe('one generation', () => {
    it('tells the whole story to whoever watches from the start, and ends', async () => {
      const id = await house.order(viewer, { count: 2 })
      const stream = await watch(id)
      await house.start()
      const events = await toEnd(stream)
      expect(kindsOf(events)).toEqual(WHOLE)
      for (const { event, generation } of events) {
        expect(generation.id).toBe(id)
        expect(generation.sequence).toBeGreaterThanOrEqual('sequence' in event ? event.sequence : 0)
      }
      expect(events.at(-1)?.generation.status).toBe('COMPLETED')
    })

    it('tells the same story to whoever comes after the end', async () => {
      await house.start()
      const id = await house.order(viewer, { count: 2 })
      const [live, later] = [await house.story(viewer, id), await house.story(viewer, id)]
      expect(kindsOf(later)).toEqual(WHOLE)
      expect(later.map(({ event, cursor }) => [event, cursor])).toEqual(
        live.map(({ event, cursor }) => [event, cursor]),
      )
    })

    it('goes on after each cursor with what follows it, and no more after the last', async () => {
      await house.start()
      const id = await house.order(viewer, { count: 2 })
      const events = await house.story(viewer, id)
      for (const [index, { cursor }] of events.entries()) {
        expect(kindsOf(await toEnd(await watch(id, cursor)))).toEqual(WHOLE.slice(index + 1))
      }
    })

    it('gives each event the cursor of its own place, also to whoever asks for several at once', async () => {
      await house.start()
      const id = await house.order(viewer, { count: 2 })
      const events = await house.story(viewer, id)
      const stream = await watch(id)
      const asked = await Promise.all(WHOLE.map(() => stream.next()))
      expect(asked.map(({ value }) => value?.cursor)).toEqual(events.map(({ cursor }) => cursor))
    })

    it('lets progress and previews pass by, and stores none of them', async () => {
      const held = holds(async (turn) => {
        await turn.send()
        turn.call.onProgress({ progress: 0.5, message: 'half' })
        turn.call.onPreview({ index: 0, bytes: createTinyPng(9) })
      })
      house.provider.plan(held.plan)
      const id = await house.order(viewer)
      const stream = await watch(id)
      await take(stream, 1)
      await house.start()
      const passing = await take(stream, 3)
      expect(kindsOf(passing)).toEqual(['STARTED', 'PROGRESS', 'PREVIEW'])
      expect(passing[1]).toMatchObject({ event: { progress: 0.5, message: 'half' }, cursor: passing[0]?.cursor })
      expect(house.domain.reader.progressOf(id)).toBe(0.5)
      held.release()
      expect(kindsOf(await toEnd(stream))).toEqual(['IMAGE_READY', 'COMPLETED'])
      expect(kindsOf(await house.story(viewer, id))).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
      expect(house.domain.reader.progressOf(id)).toBeNull()
    })

    it.each<[string, (viewer: Viewer) => Promise<Viewer>]>([
      ['another account', () => house.account()],
      ['another end user', async (owner) => ({ ...owner, endUser: 'y' })],
    ])('does not exist for %s', async (_, strangerTo) => {
      const id = await house.order({ ...viewer, endUser: 'x' })
      await expect(watch(id, null, await strangerTo(viewer))).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(watch('gen_none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(watch(id, null, viewer)).resolves.toBeDefined()
    })

    it('refuses a cursor of another log', async () => {
      const [id, other] = [await house.order(viewer), await house.order(viewer)]
      const [first] = await take(await watch(other), 1)
      const [feed] = await take(await fromStart(), 1)
      for (const cursor of [first?.cursor, feed?.cursor, 'nonsense', '']) {
        await expect(watch(id, cursor ?? '')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
      }
      await expect(watchAll(first?.cursor ?? '')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    })

    it('lets go at once of whoever leaves while it waits', async () => {
      const id = await house.order(viewer)
      const stream = await watch(id)
      await take(stream, 1)
      const pending = stream.next()
      await stream.return?.()
      expect(await pending).toEqual({ done: true, value: undefined })
    })

    it('ends with NOT_FOUND for whoever was still behind when it was deleted', async () => {
      const id = await house.order(viewer)
      const stream = await watch(id)
      await house.domain.generations.cancel(viewer, id)
      await house.domain.generations.delete(viewer, id)
      const end = toEnd(stream).then(
        (events) => events.length,
        (error) => error.code,
      )
      await house.pass(3 * 20_000)
      expect([0, 'NOT_FOUND']).toContain(await end)
    })

    it('lets go of the log when a description fails', async () => {
      const id = await house.order(viewer)
      const failing: House = buildHouse({ database, ids: house.ids, clock: house.clock })
      const stream = await failing.domain.watcher.watch(viewer, id, null)
      await database.transact((trx) =>
        trx.updateTable('generations').set({ parameters: 'no json' }).where('id', '=', id).execute(),
      )
      await expect(stream.next()).rejects.toThrow(SyntaxError)
      expect(await stream.next()).toEqual({ done: true, value: undefined })
    })
  })

  /** The feed from its very first event on: a cursor before it is not given out, so one is taken from another account. */
  async function fromStart(who = viewer) {
    const cursor = Buffer.from(`a:${who.accountId}:0`).toString('base64url')
    return house.domain.watcher.watchAll(who, cursor)
  }

  describe('all generations of an account', () => {
    it('tells of each in the order of writing, from the moment of asking on', async () => {
      await house.order(viewer)
      const stream = await watchAll()
      const ids = [await house.order(viewer), await house.order(viewer)]
      const events = await take(stream, 2)
      expect(events.map(({ generation }) => generation.id)).toEqual(ids)
      expect(kindsOf(events)).toEqual(['QUEUED', 'QUEUED'])
      await stream.return?.()
    })

    it('resumes after its cursor without a gap or a repeat', async () => {
      await house.start()
      const stream = await fromStart()
      const seen: WatchedEvent[] = []
      for (const count of [1, 2, 1]) await house.story(viewer, await house.order(viewer, { count }))
      seen.push(...(await take(stream, 3)))
      await stream.return?.()
      const resumed = await watchAll(seen.at(-1)?.cursor)
      seen.push(...(await take(resumed, 10)))
      await resumed.return?.()
      const rows = await database.read.selectFrom('events').selectAll().orderBy('position').execute()
      expect(seen.map(({ event }) => ('position' in event ? event.position : 0))).toEqual(
        rows.map(({ position }) => position),
      )
    })

    it('shows an end user nothing of another, and the account all', async () => {
      const [ann, ben] = [
        { ...viewer, endUser: 'ann' },
        { ...viewer, endUser: 'ben' },
      ]
      const streams = { ann: await watchAll(null, ann), ben: await watchAll(null, ben), all: await watchAll() }
      const ids = { ann: await house.order(ann), ben: await house.order(ben), all: await house.order(viewer) }
      const idsOf = async (stream: AsyncIterableIterator<WatchedEvent>, count: number) =>
        (await take(stream, count)).map(({ generation }) => generation.id)
      expect(await idsOf(streams.all, 3)).toEqual([ids.ann, ids.ben, ids.all])
      await house.domain.generations.cancel(ann, ids.ann)
      await house.domain.generations.cancel(ben, ids.ben)
      expect(await idsOf(streams.ann, 2)).toEqual([ids.ann, ids.ann])
      expect(await idsOf(streams.ben, 2)).toEqual([ids.ben, ids.ben])
      for (const stream of Object.values(streams)) await stream.return?.()
    })

    it('shows nothing of another account', async () => {
      const other = await house.account()
      const stream = await watchAll(null, other)
      await house.order(viewer)
      const own = await house.order(other)
      expect((await take(stream, 1)).map(({ generation }) => generation.id)).toEqual([own])
      await stream.return?.()
    })

    it('passes over what has been deleted meanwhile', async () => {
      const stream = await watchAll()
      const deleted = await house.order(viewer)
      await house.domain.generations.cancel(viewer, deleted)
      await house.domain.generations.delete(viewer, deleted)
      const kept = await house.order(viewer)
      expect((await take(stream, 1)).map(({ generation }) => generation.id)).toEqual([kept])
      await stream.return?.()
    })

    it('leaves out what passes by', async () => {
      house.provider.plan(async (turn) => {
        await turn.send()
        turn.call.onProgress({ progress: 0.1 })
        await turn.images()
        return answer()
      })
      const stream = await watchAll()
      const id = await house.order(viewer)
      await house.start()
      await house.story(viewer, id)
      expect(kindsOf(await take(stream, 4))).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
      await stream.return?.()
    })
  })

  it('shows every watcher of many the same story while it happens', async () => {
    house.provider.setDefault(makesAll)
    const id = await house.order(viewer, { count: 2 })
    const streams = await Promise.all(Array.from({ length: 50 }, () => watch(id)))
    const stories = Promise.all(streams.map(toEnd))
    await house.start()
    for (const story of await stories) expect(kindsOf(story)).toEqual(WHOLE)
  })

  it('finds what was published in another process at the next refresh', async () => {
    const id = await house.order(viewer)
    const stream = await watch(id)
    await take(stream, 1)
    const other = buildHouse({ database, ids: house.ids, clock: house.clock })
    await other.domain.generations.cancel(viewer, id)
    const next = stream.next()
    await house.pass(20_000)
    expect((await next).value?.event.kind).toBe('CANCELED')
    expect(await stream.next()).toMatchObject({ done: true })
  })
})
