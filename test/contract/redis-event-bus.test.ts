import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { BusEvent } from '../../src/events/generation-event.ts'
import { makePassingEvent, makeStoredEvent } from '../support/bus-events.ts'
import { SOON } from '../support/metrics.ts'
import { joinRedis, openRedisPlace, type RedisMember } from '../support/redis-buses.ts'
import { REDIS_URL } from '../support/services.ts'

async function joinTwo() {
  const place = openRedisPlace(REDIS_URL)
  const [here, there] = await Promise.all([joinRedis(place), joinRedis(place)])
  return { place, here, there }
}

function hearAll({ bus }: RedisMember, generationId = 'gen_1'): BusEvent[] {
  const heard: BusEvent[] = []
  bus.subscribe({ generationId }, (event) => heard.push(event))
  return heard
}

/** Somebody on the same Redis who is no process of ours. */
async function enterAsStranger(): Promise<Redis> {
  const stranger = new Redis(REDIS_URL, { lazyConnect: true })
  onTestFinished(() => stranger.disconnect())
  await stranger.connect()
  return stranger
}

const countOf = async ({ metrics }: RedisMember, outcome: string) =>
  Number(new RegExp(`redis_messages_total\\{outcome="${outcome}"\\} (\\d+)`).exec(await metrics.render())?.[1] ?? 0)

describe.skipIf(inject('obstacles').redis)('event bus on Redis, between processes', () => {
  it('tells there what was committed here, whole and once, and here once too', async () => {
    const { here, there } = await joinTwo()
    const [atHome, abroad] = [hearAll(here), hearAll(there)]
    const events = [makeStoredEvent({ message: 'why' }), makeStoredEvent({ sequence: 2 })]
    for (const event of events) here.commit(event)
    expect(atHome).toEqual(events)
    await expect.poll(() => abroad, SOON).toEqual(events)
    await Promise.all([here.bus.look(), there.bus.look()])
    expect([atHome, abroad]).toEqual([events, events])
  })

  it('lets progress through, and keeps the words of vendors and previews at home, where their pictures are', async () => {
    const { here, there } = await joinTwo()
    const [atHome, abroad] = [hearAll(here), hearAll(there)]
    const preview = { previewId: 'mEy8K0c-_9.3', index: 0, width: 64, height: null }
    const shown = makePassingEvent({ kind: 'PREVIEW', preview })
    const [first, last] = [0.2, 0.4].map((progress) => makePassingEvent({ progress, message: 'step 3: a red fox' }))
    const events = [first, shown, last].filter((event) => event !== undefined)
    for (const event of events) here.bus.publish(event)
    expect(atHome).toEqual(events)
    // What came last has come: whatever is missing between was not sent.
    await expect.poll(() => abroad.at(-1), SOON).toEqual({ ...last, message: null })
    expect(abroad).toEqual([first, last].map((event) => ({ ...event, message: null })))
    expect(atHome).toEqual(events)
  })

  it('tells of what was committed before the bell was heard', async () => {
    const { place, there } = await joinTwo()
    const abroad = hearAll(there)
    await there.bus.look()
    const silent = makeStoredEvent()
    place.log.push(silent)
    await there.bus.look()
    expect(abroad).toEqual([silent])
  })

  it('shows nobody what a stranger says, however it is spelled, and goes on', async () => {
    const { place, here, there } = await joinTwo()
    const heard = hearAll(there)
    const passing = { from: 'stranger', ...makePassingEvent() }
    const lies = [
      '',
      'null',
      '{"kind":"RING"}',
      '[['.repeat(5_000),
      JSON.stringify({ from: 'stranger', ...makeStoredEvent({ kind: 'COMPLETED', status: 'COMPLETED' }) }),
      JSON.stringify({ ...passing, progress: 7 }),
      JSON.stringify({ ...passing, sequence: -1 }),
      JSON.stringify({ ...passing, endUser: 'x'.repeat(10_000) }),
      JSON.stringify({ ...passing, kind: 'PREVIEW', preview: { previewId: '../../etc/passwd.1', index: 0 } }),
      JSON.stringify({ ...passing, kind: 'PREVIEW', preview: 'data:image/png;base64,AAAA' }),
    ]
    const stranger = await enterAsStranger()
    for (const lie of lies) await stranger.publish(place.channel, lie)
    await stranger.publish(place.channel, Buffer.from([0xff, 0xfe, 0]))
    await expect.poll(() => countOf(there, 'refused'), SOON).toBe(lies.length + 1)
    expect(heard).toEqual([])
    const preview = { previewId: 'mEy8K0c-_9.3', index: 0, width: 1, height: 1 }
    await stranger.publish(place.channel, JSON.stringify({ ...passing, preview }))
    await expect.poll(() => heard.splice(0), SOON).toEqual([{ ...makePassingEvent(), message: null, preview: null }])
    const event = makeStoredEvent()
    here.commit(event)
    await expect.poll(() => heard, SOON).toEqual([event])
  })

  it('is not heard by another installation on the same Redis', async () => {
    const { here, there } = await joinTwo()
    const neighbour = await joinRedis(openRedisPlace(REDIS_URL))
    const [abroad, beside] = [hearAll(there), hearAll(neighbour)]
    here.bus.publish(makePassingEvent())
    await expect.poll(() => abroad.length, SOON).toBe(1)
    // What it says itself comes back to it behind whatever it would have heard.
    await neighbour.link.publish('test:nobody', 'x')
    expect([beside, await countOf(neighbour, 'received')]).toEqual([[], 0])
  })
})
