import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import type {
  ImageProvider,
  ProviderCall,
  ProviderImage,
  ProviderPreview,
  ProviderReference,
  ProviderRequest,
} from '../../src/providers/provider.ts'
import { type Delivery, ProviderError, type ProviderErrorKind } from '../../src/providers/provider-error.ts'
import { Secret } from '../../src/secret.ts'
import { probeImage } from '../../src/storage/image-probe.ts'
import type { WireServer } from '../support/wire/wire-server.ts'

/** A provider with a vendor behind it that will do what the scene says to this request. */
export type ProviderStage = {
  readonly provider: ImageProvider
  readonly request: ProviderRequest
  /** The same vendor as another process sees it: for resuming after a crash. */
  restart?(): ImageProvider
  /** The vendor, where it is one that is spoken to over HTTP. */
  readonly wire?: Pick<WireServer, 'requests' | 'billable'>
  /** How many billable requests all of the images take. */
  readonly calls?: number
  close?(): Promise<void>
}

type Arrange<Stage = ProviderStage> = () => Promise<Stage> | Stage

export type ProviderScenes = {
  /** Makes every image, at least two of them, of this type and size. */
  readonly complete: Arrange<
    ProviderStage & {
      readonly expected: { readonly mimeType: string; readonly width: number; readonly height: number }
    }
  >
  /** Makes these indexes and not the rest. */
  readonly fewer: Arrange<ProviderStage & { readonly made: readonly number[] }>
  /** Takes the request and never answers. */
  readonly silence: Arrange
  /** Is a bill out of the question whatever happens? Otherwise nobody can tell of an unknown outcome. */
  readonly billsNobody?: boolean
  readonly failures: readonly {
    readonly title: string
    readonly arrange: Arrange
    readonly kind: ProviderErrorKind
    readonly delivery: Delivery
    readonly retryAfterMs?: number
    readonly providerBilled?: boolean | null
    readonly providerCode?: string
    readonly providerRequestId?: string
    /** Billable requests that the vendor gets to see; 1 unless told otherwise. */
    readonly calls?: number
  }[]
}

type Log = {
  readonly steps: string[]
  readonly images: ProviderImage[]
  readonly previews: ProviderPreview[]
  readonly progress: number[]
  reference: ProviderReference | null
}

const KEY = 'sk-canary-7f3c9a51e2'

/** What the worker relies on in every provider. Each scene is arranged anew for each test. */
export function describeProviderContract(name: string, scenes: ProviderScenes): void {
  describe(`${name} as an image provider`, () => {
    describeSuccess(scenes)
    describeShortfall(scenes)
    describeResuming(scenes)
    describeEnding(scenes)
    describeFailure(scenes)
    describeOwnSide(scenes)
    describeFence(scenes)
  })
}

function describeSuccess(scenes: ProviderScenes): void {
  it('delivers one image for each index, of the type and size that was asked for', async () => {
    const { provider, request, expected } = await arrange(scenes.complete)
    const { call, log } = createCall()
    const output = await provider.generate(request, call)
    expect(output.failures).toEqual([])
    expect(log.images.map((image) => image.index).sort()).toEqual(indexesOf(request))
    for (const image of log.images) expect(await probeImage(image.bytes)).toMatchObject(expected)
  })

  it('tells that it sends, then that it was accepted, then hands over images', async () => {
    const { provider, request, calls = 1 } = await arrange(scenes.complete)
    const { call, log } = createCall()
    await provider.generate(request, call)
    // Later jobs are told of by what was accepted before them.
    expect(log.steps.filter((step) => step === 'sending')).toHaveLength(provider.resume ? 1 : calls)
    expect(log.steps[0]).toBe('sending')
    expect(log.steps.filter((step) => step === 'image')).toHaveLength(request.count)
    expect(log.steps.includes('accepted')).toBe(provider.resume !== undefined)
    if (provider.resume) expect(log.steps.indexOf('accepted')).toBeLessThan(log.steps.indexOf('image'))
  })

  it('makes each call once, with the key in no place but a header', async () => {
    const { provider, request, wire, calls } = await arrange(scenes.complete)
    if (!wire) return
    const { call } = createCall()
    await provider.generate(request, call)
    expect(wire.billable).toHaveLength(calls ?? 1)
    for (const { path, query, body } of wire.requests) {
      expect(`${path}?${query}`).not.toContain(KEY)
      expect(body.includes(KEY)).toBe(false)
    }
  })

  it('tells progress that never goes back, and shows previews that are pictures of what was asked for', async () => {
    const { provider, request } = await arrange(scenes.complete)
    const { call, log } = createCall()
    await provider.generate(request, call)
    expect(log.progress).toEqual([...log.progress].sort((a, b) => a - b))
    expect(log.progress.every((progress) => progress >= 0 && progress <= 1)).toBe(true)
    for (const { index, bytes } of log.previews) {
      expect(indexesOf(request)).toContain(index)
      await expect(probeImage(bytes)).resolves.toBeDefined()
    }
  })
}

function describeShortfall(scenes: ProviderScenes): void {
  it('takes fewer images for a success and says which of them failed', async () => {
    const { provider, request, made } = await arrange(scenes.fewer)
    const { call, log } = createCall()
    const output = await provider.generate(request, call)
    expect(log.images.map((image) => image.index).sort()).toEqual(made)
    for (const { imageIndex, error } of output.failures) {
      expect(indexesOf(request)).toContain(imageIndex)
      expect(made).not.toContain(imageIndex)
      expect(error).toBeInstanceOf(ProviderError)
    }
  })
}

function describeResuming(scenes: ProviderScenes): void {
  it('goes on from its reference after a crash, without sending anything again', async () => {
    const stage = await arrange(scenes.complete)
    if (!stage.provider.resume) return expect(stage.restart).toBeUndefined()
    const { output, log } = await crashAndResume(stage, 1)
    expect(output?.failures).toEqual([])
    expect(log.images.map((image) => image.index).sort()).toEqual(indexesOf(stage.request))
    expect(log.steps).not.toContain('sending')
    if (stage.wire) expect(stage.wire.billable).toHaveLength(stage.calls ?? 1)
  })

  it('gives up no more than what was being sent, wherever it crashed after the first acceptance', async () => {
    for (let writes = 1, isThrough = false; !isThrough; writes++) {
      const stage = await arrange(scenes.complete)
      if (!stage.provider.resume) return
      const { output, log, crashed } = await crashAndResume(stage, writes)
      const failed = output?.failures ?? []
      const unknown = { delivery: 'UNKNOWN', providerBilled: scenes.billsNobody ? false : null }
      for (const { error } of failed) expect(error).toMatchObject(unknown)
      expect(failed.length).toBeLessThanOrEqual(1)
      const indexes = [...log.images.map((image) => image.index), ...failed.map(({ imageIndex }) => imageIndex)]
      expect(indexes.sort()).toEqual(indexesOf(stage.request))
      if (stage.wire) expect(stage.wire.billable.length + failed.length).toBe(stage.calls ?? 1)
      isThrough = !crashed
    }
  })

  it('does not fetch again what is stored already', async () => {
    const stage = await arrange(scenes.complete)
    if (!stage.provider.resume) return
    const { log } = await crashAndResume(stage, 1, new Set([0]))
    expect(log.images.map((image) => image.index).sort()).toEqual(indexesOf(stage.request).slice(1))
  })
}

/** The process dies with its n-th write of a reference; where there are fewer it comes to its end, and is resumed too. */
async function crashAndResume(stage: ProviderStage, writes: number, delivered: ReadonlySet<number> = new Set()) {
  const crash = new AbortController()
  let written = 0
  const first = createCall({
    signal: crash.signal,
    onAccepted: async () => {
      written += 1
      if (written === writes) crash.abort()
    },
  })
  const outcome = await stage.provider.generate(stage.request, first.call).catch((error: unknown) => error)
  if (crash.signal.aborted) expect(outcome).toBeInstanceOf(ProviderError)
  const { call, log } = createCall({ delivered })
  const reference: ProviderReference = JSON.parse(JSON.stringify(first.log.reference))
  const provider = stage.restart?.() ?? stage.provider
  const output = await provider.resume?.(reference, stage.request, call)
  return { output, log, crashed: crash.signal.aborted }
}

function describeEnding(scenes: ProviderScenes): void {
  it('sends nothing when the call is over before it begins', async () => {
    const { provider, request } = await arrange(scenes.complete)
    const { call, log } = createCall({ signal: AbortSignal.abort() })
    await expect(provider.generate(request, call)).rejects.toMatchObject({
      name: 'ProviderError',
      delivery: 'NOT_SENT',
    })
    expect(log.steps).toEqual([])
  })

  it('settles as soon as the call ends while the vendor is silent, and does not know the outcome', async () => {
    const { provider, request } = await arrange(scenes.silence)
    const ending = new AbortController()
    const isTold = Promise.withResolvers<void>()
    const tell = async () => isTold.resolve()
    const { call, log } = createCall({
      signal: ending.signal,
      ...(provider.resume ? { onAccepted: tell } : { onSending: tell }),
    })
    const result = provider.generate(request, call)
    await isTold.promise
    // One turn, so that it is at its waiting.
    await new Promise((resolve) => setImmediate(resolve))
    ending.abort()
    const providerBilled = scenes.billsNobody ? false : null
    await expect(result).rejects.toMatchObject({ name: 'ProviderError', delivery: 'UNKNOWN', providerBilled })
    expect(log.images).toEqual([])
  })

  it('does nothing more when the call ends after its result', async () => {
    const { provider, request } = await arrange(scenes.complete)
    const ending = new AbortController()
    const { call, log } = createCall({ signal: ending.signal })
    await provider.generate(request, call)
    const told = [...log.steps]
    ending.abort()
    await new Promise((resolve) => setImmediate(resolve))
    expect(log.steps).toEqual(told)
  })
}

function describeFailure({ failures }: ProviderScenes): void {
  it.each(failures)('classifies: $title', async ({ title: _, arrange: scene, calls = 1, ...expected }) => {
    const { kind, delivery, retryAfterMs = null } = expected
    const { provider, request, wire } = await arrange(scene)
    const { call, log } = createCall()
    const error = await rejectionOf(provider.generate(request, call))
    expect(error).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({ ...expected, kind, delivery, retryAfterMs })
    if (wire) expect(wire.billable).toHaveLength(delivery === 'NOT_SENT' ? 0 : calls)
    expect(log.steps.includes('sending')).toBe(delivery !== 'NOT_SENT')
    // Text of causes and own properties as well: errors are logged whole.
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(KEY)
  })
}

function describeOwnSide(scenes: ProviderScenes): void {
  it.each(['onSending', 'onAccepted', 'onImage'] as const)(
    'ends when the caller cannot keep what %s told',
    async (name) => {
      const { provider, request } = await arrange(scenes.complete)
      if (name === 'onAccepted' && !provider.resume) return
      const { call, log } = createCall({ [name]: () => Promise.reject(new Error('The lease is lost.')) })
      await expect(provider.generate(request, call)).rejects.toThrow()
      expect(log.images.length).toBeLessThanOrEqual(name === 'onImage' ? 1 : 0)
    },
  )
}

function describeFence(scenes: ProviderScenes): void {
  it('sends no further call once it is told that it may not', async () => {
    const { provider, request, wire, calls = 1 } = await arrange(scenes.complete)
    if (!wire || calls === 1) return
    let announced = 0
    const lose = async () => {
      announced += 1
      if (announced > 1) throw new Error('The lease is lost.')
    }
    const own = provider.resume ? { onSending: lose, onAccepted: lose } : { onSending: lose }
    await expect(provider.generate(request, createCall(own).call)).rejects.toThrow('The lease is lost.')
    expect(wire.billable.length).toBeLessThanOrEqual(1)
  })

  it('leaves out the one call that could not be announced, and makes the others', async () => {
    const { provider, request, wire, calls = 1 } = await arrange(scenes.complete)
    if (!wire || calls === 1 || provider.resume) return
    const unannounced = new ProviderError({ kind: 'UNAVAILABLE', delivery: 'NOT_SENT', message: 'Not announced.' })
    let announced = 0
    const { call, log } = createCall({
      onSending: async () => {
        announced += 1
        if (announced === 2) throw unannounced
      },
    })
    const { failures } = await provider.generate(request, call)
    expect(wire.billable).toHaveLength(calls - 1)
    expect(failures.map(({ error }) => error)).toEqual([unannounced])
    expect(log.images).toHaveLength(request.count - 1)
  })
}

async function arrange<Stage extends ProviderStage>(scene: Arrange<Stage>): Promise<Stage> {
  const stage = await scene()
  onTestFinished(() => stage.close?.())
  return stage
}

type OwnSide = Partial<
  Pick<ProviderCall, 'signal' | 'delivered' | 'onSending' | 'onAccepted' | 'onImage' | 'attemptNumber'>
>

/** A caller that writes down what it is told. What is passed in is done after that. */
export function createCall(own: OwnSide = {}): { readonly call: ProviderCall; readonly log: Log } {
  const log: Log = { steps: [], images: [], previews: [], progress: [], reference: null }
  const call: ProviderCall = {
    attemptId: 'att_1',
    attemptNumber: own.attemptNumber ?? 1,
    apiKey: new Secret(KEY),
    delivered: own.delivered ?? new Set(),
    signal: own.signal ?? new AbortController().signal,
    onSending: async () => {
      log.steps.push('sending')
      await own.onSending?.()
    },
    onAccepted: async (reference) => {
      log.steps.push('accepted')
      log.reference = reference
      await own.onAccepted?.(reference)
    },
    onProgress: ({ progress }) => {
      if (progress !== null) log.progress.push(progress)
    },
    onPreview: (preview) => {
      log.previews.push(preview)
    },
    onImage: async (image) => {
      log.steps.push('image')
      log.images.push(image)
      await own.onImage?.(image)
    },
  }
  return { call, log }
}

export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('The call should have been rejected.'),
    (error: unknown) => error,
  )
}

function indexesOf(request: ProviderRequest): number[] {
  return Array.from({ length: request.count }, (_, index) => index)
}
