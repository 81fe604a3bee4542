import { describe, expect, it } from 'vitest'
import { createRunWatch } from '../../../src/providers/comfyui/comfyui-watch.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

function watch() {
  const time = createFakeClock()
  const told: unknown[] = []
  const { listener, clock, failure } = createRunWatch({
    clock: time,
    progressNodes: null,
    previews: 1,
    onProgress: (progress) => void told.push(progress),
    onPreview: (bytes) => void told.push(bytes),
  })
  return { time, told, listener, clock, failure }
}

describe('the watch of a ComfyUI run', () => {
  it('ends a pause when the run is told to be over, and the next one takes its time', async () => {
    const { time, listener, clock } = watch()
    const first = clock.sleep(2_000)
    listener.onEnding(null)
    await first
    let isOver = false
    const second = clock.sleep(2_000).then(() => {
      isOver = true
    })
    await time.advance(1_999)
    expect(isOver).toBe(false)
    await time.advance(1)
    await second
  })

  it('loses no ending that is told between two pauses', async () => {
    const { time, listener, clock } = watch()
    listener.onEnding(null)
    await clock.sleep(2_000)
    expect(time.sleepers()).toBe(0)
  })

  it('ends a pause with the signal of whoever pauses', async () => {
    const { clock } = watch()
    await clock.sleep(2_000, AbortSignal.abort())
  })

  it('keeps the first failure that it is told, whatever follows', () => {
    const { listener, failure } = watch()
    listener.onEnding({ what: 'FAILED', code: 'first', words: null })
    listener.onEnding(null)
    listener.onEnding({ what: 'INTERRUPTED', code: 'second', words: null })
    expect(failure()).toMatchObject({ code: 'first' })
  })

  it('shows a preview when it is due, and says nothing of nodes without steps', () => {
    const { listener, told } = watch()
    const picture = new Uint8Array([1])
    listener.onSteps('5', 1, 1)
    listener.onSteps('3', 1, 4)
    listener.onPreview(picture)
    listener.onSteps('3', 2, 4)
    listener.onPreview(picture)
    listener.onPreview(picture)
    expect(told).toEqual([0.25, 0.5, picture])
  })
})
