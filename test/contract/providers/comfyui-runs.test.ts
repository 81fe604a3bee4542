import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createComfyuiProvider } from '../../../src/providers/comfyui/comfyui-provider.ts'
import type { ProviderReference } from '../../../src/providers/provider.ts'
import { probeImage } from '../../../src/storage/image-probe.ts'
import { createComfyuiWire } from '../../support/wire/comfyui.ts'
import type { WireServer } from '../../support/wire/wire-server.ts'
import { createCall, rejectionOf } from '../provider-contract.ts'
import { ONE_RUN, RUN_AN_IMAGE } from './comfyui-workflow.ts'
import { createProviderRequest, type RequestChanges, stageWire, wireDeps } from './wire-stage.ts'

const create = (origin: string) =>
  createComfyuiProvider({ ...wireDeps(origin), id: 'studio', name: 'Studio', apiKey: null })

/** An engine, what is asked of it, and how each of its sockets was closed. */
async function open(
  modes: readonly string[],
  changes: RequestChanges = {},
  options: { refusesSockets?: boolean } = {},
) {
  const closed = new EventTarget()
  const codes: number[] = []
  const onSocketClose = (code: number) => {
    codes.push(code)
    closed.dispatchEvent(new Event('close'))
  }
  const stage = await stageWire({
    vendor: (setting) => createComfyuiWire(setting, { ...options, onSocketClose }),
    provider: create,
    request: createProviderRequest({
      wire: ONE_RUN,
      ...changes,
      parameters: { width: 64, height: 64, ...changes.parameters },
    }),
    modes,
  })
  onTestFinished(stage.close)
  const untilClosed = async (count: number) => {
    while (codes.length < count) await once(closed, 'close')
    return codes
  }
  return { ...stage, untilClosed }
}

const asksOf = ({ requests }: WireServer, path: string) => requests.filter((request) => request.path === path)

describe('the socket of a ComfyUI run', () => {
  it.each([
    ['that say whose they are', 'ok steps=8'],
    ['of the older kind', 'ok steps=8 age=old'],
  ])('shows as many previews %s as were asked for, and only of its own run', async (_, mode) => {
    const { provider, request } = await open([`${mode} foreign=1`], { previews: 3 })
    const { call, log } = createCall()
    await provider.generate(request, call)
    expect(log.previews).toHaveLength(3)
    for (const { index, bytes } of log.previews) {
      expect(index).toBe(0)
      // Those of the other run are PNG of another size.
      expect(await probeImage(bytes)).toMatchObject({ mimeType: 'image/jpeg', width: 16 })
    }
  })

  it('shows none where none was asked for', async () => {
    const { provider, request } = await open(['ok'])
    const { call, log } = createCall()
    await provider.generate(request, call)
    expect(log.previews).toEqual([])
  })

  it('tells the progress of its own run alone', async () => {
    const { provider, request } = await open(['ok steps=4 foreign=1'])
    const { call, log } = createCall()
    await provider.generate(request, call)
    expect([...new Set(log.progress)]).toEqual([0.25, 0.5, 0.75, 0.99, 1])
  })

  it('is closed in good order as soon as the result is there', async () => {
    const { provider, request, untilClosed } = await open(['ok'])
    await provider.generate(request, createCall().call)
    expect(await untilClosed(1)).toEqual([1000])
  })

  it('is closed when the run has failed', async () => {
    const { provider, request, untilClosed } = await open(['failed'])
    await rejectionOf(provider.generate(request, createCall().call))
    expect(await untilClosed(1)).toEqual([1000])
  })

  it('is closed when the call ends before its result', async () => {
    const { provider, request, untilClosed } = await open(['ok held=job'])
    const ending = new AbortController()
    const { call } = createCall({ signal: ending.signal, onAccepted: async () => ending.abort() })
    await rejectionOf(provider.generate(request, call))
    expect(await untilClosed(1)).toEqual([1000])
  })

  it('is opened again when it dies in the middle, and goes on telling', async () => {
    const { provider, request, untilClosed } = await open(['ok steps=4 cut=return'])
    const { call, log } = createCall()
    await provider.generate(request, call)
    expect(log.progress).toContain(0.75)
    expect(log.images).toHaveLength(1)
    expect(await untilClosed(2)).toEqual([1006, 1000])
  })

  it.each([
    ['dies in the middle', 'ok cut=1', {}],
    ['tells nothing', 'ok mute=1', {}],
    ['cannot be opened', 'ok', { refusesSockets: true }],
  ])('is done without when it %s', async (_, mode, options) => {
    const { provider, request } = await open([mode], { count: 2 }, options)
    const { call, log } = createCall()
    const { failures } = await provider.generate(request, call)
    expect(log.images.map(({ index }) => index)).toEqual([0, 1])
    expect(failures).toEqual([])
  })
})

describe('a ComfyUI run that was lost sight of', () => {
  it('is found by its id when the answer to its submission was lost, and not sent again', async () => {
    const { provider, request, wire } = await open(['truncate'])
    const { call, log } = createCall()
    await provider.generate(request, call)
    expect(log.steps).toEqual(['sending', 'accepted', 'image'])
    expect(wire.billable).toHaveLength(1)
  })

  it('stays unknown on an engine that names runs by ids of its own', async () => {
    const { provider, request, wire } = await open(['truncate age=old'])
    const error = await rejectionOf(provider.generate(request, createCall().call))
    expect(error).toMatchObject({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN', providerBilled: false })
    expect(wire.billable).toHaveLength(1)
  })

  it('is followed under the id that such an engine gives it', async () => {
    const { provider, request, wire } = await open(['ok age=old'])
    const { call, log } = createCall()
    await provider.generate(request, call)
    expect(log.reference?.jobId).toMatch(/^[0-9a-f-]{36}$/)
    expect(wire.billable[0]?.json).not.toMatchObject({ prompt_id: log.reference?.jobId })
    expect(log.images).toHaveLength(1)
  })

  it('is found after a crash that came while it was being sent', async () => {
    const { provider, request, wire } = await open(['ok', 'ok'], { wire: RUN_AN_IMAGE, count: 2 })
    const first = createCall()
    let references: ProviderReference[] = []
    await provider.generate(request, {
      ...first.call,
      onAccepted: async (reference) => {
        references = [...references, JSON.parse(JSON.stringify(reference))]
      },
    })
    // As it stood on disk while the second one was under way.
    const [, whileSending] = references
    if (!whileSending) return expect.unreachable()
    const { call, log } = createCall({ delivered: new Set([0]) })
    const output = await provider.resume?.(whileSending, request, call)
    expect(output?.failures).toEqual([])
    expect(log.images.map(({ index }) => index)).toEqual([1])
    expect(wire.billable).toHaveLength(2)
  })
})

describe('a ComfyUI run that nobody wants any more', () => {
  /** Two requests at an engine that works on the first. */
  async function openTwo(mode = 'ok held=job') {
    const stage = await open([mode, 'ok'])
    const begin = async (attemptId: string) => {
      const accepted = Promise.withResolvers<ProviderReference>()
      const { call } = createCall({ onAccepted: async (reference) => accepted.resolve(reference) })
      const result = stage.provider.generate(stage.request, { ...call, attemptId }).catch((error: unknown) => error)
      return { reference: await accepted.promise, result }
    }
    const running = await begin('att_1')
    const waiting = await begin('att_2')
    const cancel = (reference: ProviderReference) =>
      stage.provider.cancel?.(reference, { apiKey: null, signal: new AbortController().signal })
    return { ...stage, running, waiting, cancel }
  }

  it('is stopped when it runs', async () => {
    const { running, waiting, cancel, wire } = await openTwo()
    await cancel(running.reference)
    expect(asksOf(wire, '/interrupt').map(({ json }) => json)).toEqual([{ prompt_id: running.reference.jobId }])
    expect(await running.result).toMatchObject({ providerCode: 'execution_interrupted' })
    expect(await waiting.result).toMatchObject({ failures: [] })
  })

  it('is taken out of the queue when it waits, and whatever runs goes on', async () => {
    const { running, waiting, cancel, wire } = await openTwo('ok held=job age=old')
    await cancel(waiting.reference)
    expect(asksOf(wire, '/interrupt')).toEqual([])
    expect(await waiting.result).toMatchObject({ kind: 'UNAVAILABLE', delivery: 'ANSWERED', providerBilled: false })
    wire.release()
    expect(await running.result).toMatchObject({ failures: [] })
  })
})
