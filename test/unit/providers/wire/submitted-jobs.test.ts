import { describe, expect, it } from 'vitest'
import type { ProviderCall, ProviderReference } from '../../../../src/providers/provider.ts'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { failuresOf, valuesOf } from '../../../../src/providers/wire/fan-out.ts'
import { runJobs, takenJobs } from '../../../../src/providers/wire/submitted-jobs.ts'

type Details = ConstructorParameters<typeof ProviderError>[0]

const failure = (changes: Partial<Details> = {}) =>
  new ProviderError({ kind: 'REFUSED', delivery: 'ANSWERED', message: 'No.', ...changes })

const busy = () => failure({ kind: 'RATE_LIMITED', delivery: 'NOT_ACCEPTED', retryAfterMs: 3000 })

/** A process that dies at a step: nothing that it does after that is seen by anybody. */
class Death extends Error {}

type Script = {
  /** What becomes of the submission of each part; nothing: it is taken. */
  readonly submit?: Readonly<Record<number, () => ProviderError>>
  readonly follow?: Readonly<Record<number, () => ProviderError>>
}

/** A vendor, a disk and a log that outlive the process. */
function createWorld(script: Script = {}) {
  const log: string[] = []
  let onDisk: ProviderReference | null = null
  let steps = 0

  /** One life of the process: it dies at its `diesAt`-th step, before (`early`) or after what the step does. */
  async function live(
    parts: number,
    dies?: { readonly at: number; readonly early: boolean },
    more: Partial<ProviderCall> = {},
  ) {
    const end = new AbortController()
    steps = 0
    const step = async <Value>(name: string, work: () => Value): Promise<Value> => {
      if (end.signal.aborted) throw new Death(name)
      steps += 1
      const isLast = dies?.at === steps
      if (isLast && dies.early) {
        end.abort()
        throw new Death(name)
      }
      const done = work()
      log.push(name)
      if (isLast) {
        end.abort()
        throw new Death(name)
      }
      return done
    }
    const call = {
      ...more,
      signal: end.signal,
      onSending: () => step('sending', () => undefined),
      onAccepted: (reference: ProviderReference) =>
        step(`disk ${statesOf(reference)}`, () => {
          onDisk = JSON.parse(JSON.stringify(reference))
        }),
    } as unknown as ProviderCall
    const settle = (outcome: ProviderError | undefined, value: string) => {
      if (outcome) throw outcome
      return value
    }
    return runJobs(
      { parts, call, reference: onDisk },
      {
        submit: async (index) => {
          const outcome = script.submit?.[index]?.()
          await step(`submit ${index}`, () => undefined)
          return { id: settle(outcome, `job-${index}`), pollingUrl: `http://vendor/${index}` }
        },
        follow: async (job, index) => {
          await step(`follow ${index}`, () => undefined)
          return settle(script.follow?.[index]?.(), `${job.id} at ${job.pollingUrl}`)
        },
      },
    )
  }

  return {
    log,
    live,
    stepsOfLast: () => steps,
    reference: () => onDisk,
    submissions: () => log.filter((each) => each.startsWith('submit')),
  }
}

function statesOf(reference: ProviderReference): string {
  return (reference.parts as { state: string }[]).map(({ state }) => state.slice(0, 2)).join(' ')
}

describe('A request of several jobs', () => {
  it('puts on disk how far each has come before the next thing happens to it', async () => {
    const { live, log } = createWorld()
    const results = await live(3)
    expect(log.filter((each) => !each.startsWith('follow'))).toEqual([
      'sending',
      'submit 0',
      'disk TA UN UN',
      'disk TA SE UN',
      'submit 1',
      'disk TA TA UN',
      'disk TA TA SE',
      'submit 2',
      'disk TA TA TA',
    ])
    expect(valuesOf(results)).toEqual([0, 1, 2].map((index) => `job-${index} at http://vendor/${index}`))
    for (const index of [0, 1, 2])
      expect(log.indexOf(`follow ${index}`)).toBeGreaterThan(log.indexOf(`submit ${index}`))
  })

  it('names the jobs that were taken', async () => {
    const { live, reference } = createWorld({ submit: { 1: failure } })
    await live(3)
    expect(reference()?.jobId).toBe('job-0 job-2')
    expect(takenJobs(reference() ?? { jobId: '' }).map(({ id }) => id)).toEqual(['job-0', 'job-2'])
  })

  it('goes on where one was refused, at its submission or later', async () => {
    const { live } = createWorld({ submit: { 0: failure }, follow: { 2: failure } })
    const results = await live(4)
    expect(failuresOf(results).map(({ imageIndex }) => imageIndex)).toEqual([0, 2])
    expect(valuesOf(results)).toHaveLength(2)
  })

  it('submits no more after a failure that will meet the rest as well', async () => {
    const { live, submissions } = createWorld({ submit: { 1: busy } })
    const failures = failuresOf(await live(4))
    expect(submissions()).toEqual(['submit 0', 'submit 1'])
    expect(failures.map(({ imageIndex }) => imageIndex)).toEqual([1, 2, 3])
    for (const { error } of failures) {
      expect(error).toMatchObject({ kind: 'RATE_LIMITED', delivery: 'NOT_ACCEPTED', retryAfterMs: 3000 })
    }
  })

  it('tells that it sends until something was taken, and writes no reference before', async () => {
    const { live, log, reference } = createWorld({ submit: { 0: failure, 1: failure } })
    await live(2)
    expect(log).toEqual(['sending', 'submit 0', 'sending', 'submit 1'])
    expect(reference()).toBeNull()
  })
})

describe('A crash', () => {
  const PARTS = 3
  const scripts: readonly (readonly [title: string, Script])[] = [
    ['where all are taken', {}],
    ['where the second is refused', { submit: { 1: failure } }],
    ['where the last is refused', { submit: { 2: failure } }],
    ['where the vendor is busy from the second on', { submit: { 1: busy } }],
    ['where a job fails', { follow: { 0: failure } }],
  ]

  /** Steps of an undisturbed life; a crash is tried at each, before and after it. */
  async function countSteps(script: Script): Promise<number> {
    const world = createWorld(script)
    await world.live(PARTS)
    return world.stepsOfLast()
  }

  it.each(scripts)(
    'at every step submits nothing twice and loses at most what was being sent, %s',
    async (_, script) => {
      for (let at = 1; at <= (await countSteps(script)); at++) {
        for (const early of [true, false]) {
          const world = createWorld(script)
          await world.live(PARTS, { at, early }).catch(() => undefined)
          // Without a reference the worker knows from `sending` alone that the outcome is open, and begins nothing again.
          if (world.reference() === null) continue
          const results = await world.live(PARTS)
          expect(new Set(world.submissions()).size).toBe(world.submissions().length)
          expect(results.map(({ index }) => index)).toEqual([0, 1, 2])
          const open = failuresOf(results).filter(({ error }) => error.delivery === 'UNKNOWN')
          expect(open.length).toBeLessThanOrEqual(1)
          for (const { error } of open) expect(error.providerBilled).toBeNull()
        }
      }
    },
  )

  it('at every step of the second life too', async () => {
    for (let first = 3; first <= 9; first++) {
      for (let second = 1; second <= 9; second++) {
        const world = createWorld()
        await world.live(PARTS, { at: first, early: false }).catch(() => undefined)
        await world.live(PARTS, { at: second, early: false }).catch(() => undefined)
        const results = await world.live(PARTS)
        expect(new Set(world.submissions()).size).toBe(world.submissions().length)
        expect(results.map(({ index }) => index)).toEqual([0, 1, 2])
        // Each life may lose the one that it was sending.
        const open = failuresOf(results).filter(({ error }) => error.delivery === 'UNKNOWN')
        expect(open.length).toBeLessThanOrEqual(2)
      }
    }
  })

  it('after a refusal still knows of it', async () => {
    const refused = () => failure({ providerCode: 'policy', providerRequestId: 'r1' })
    const world = createWorld({ submit: { 1: refused } })
    await world.live(2)
    const [, lost] = await world.live(2)
    expect(lost).toMatchObject({ index: 1, error: { kind: 'REFUSED', delivery: 'ANSWERED', providerBilled: false } })
    expect(lost).toMatchObject({ error: { providerCode: 'policy', providerRequestId: 'r1' } })
  })

  it('after which the pictures are gone leaves unsent what was not sent', async () => {
    const unsendable = failure({ kind: 'UNAVAILABLE', delivery: 'NOT_SENT' })
    const { live, log, submissions } = createWorld()
    await live(3, { at: 3, early: false }).catch(() => undefined)
    const results = await live(3, undefined, { unsendable })
    expect(submissions()).toEqual(['submit 0'])
    expect(log.at(-1)).toBe('follow 0')
    expect(results).toMatchObject([{ value: 'job-0 at http://vendor/0' }, { error: unsendable }, { error: unsendable }])
  })

  it('without parts in its reference is a mistake of ours', async () => {
    expect(() => takenJobs({ jobId: 'a' })).toThrow(/no parts/)
  })
})

describe('The end of the call', () => {
  type Own = Partial<Pick<ProviderCall, 'onSending' | 'onAccepted'>>
  type Steps = Parameters<typeof runJobs<string>>[1]

  function run(ending: AbortController, own: Own = {}, steps: Partial<Steps> = {}) {
    const submitted: number[] = []
    const call = { onSending: async () => undefined, onAccepted: async () => undefined, ...own, signal: ending.signal }
    const results = runJobs<string>(
      { parts: 3, call: call as unknown as ProviderCall, reference: null },
      {
        submit: async (index) => {
          submitted.push(index)
          return { id: `job-${index}` }
        },
        follow: async ({ id }) => id,
        ...steps,
      },
    )
    results.catch(() => undefined)
    return { results, submitted }
  }

  const untilAborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(failure({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN' })))
    })

  it('before it begins leaves everything unsent', async () => {
    const ending = new AbortController()
    ending.abort()
    const { results, submitted } = run(ending)
    await expect(results).rejects.toMatchObject({ delivery: 'NOT_SENT' })
    expect(submitted).toEqual([])
  })

  it('while it is told that something is sent keeps it from being sent', async () => {
    const ending = new AbortController()
    const { results, submitted } = run(ending, { onSending: async () => ending.abort() })
    await expect(results).rejects.toMatchObject({ name: 'ProviderError', delivery: 'UNKNOWN' })
    expect(submitted).toEqual([])
  })

  it('while jobs are followed leaves the outcome open', async () => {
    const ending = new AbortController()
    const { results } = run(ending, {}, { follow: (_job, _index, signal) => untilAborted(signal) })
    await new Promise((resolve) => setImmediate(resolve))
    ending.abort()
    await expect(results).rejects.toMatchObject({ name: 'ProviderError', delivery: 'UNKNOWN' })
  })

  it.each(['onSending', 'onAccepted'] as const)('by our own side goes through as it is (%s)', async (name) => {
    const lost = new Error('The lease is lost.')
    const { results, submitted } = run(new AbortController(), { [name]: () => Promise.reject(lost) })
    await expect(results).rejects.toBe(lost)
    expect(submitted).toEqual(name === 'onSending' ? [] : [0])
  })

  it('by what a followed job hands over goes through as it is, and submits no more', async () => {
    const lost = new Error('The lease is lost.')
    const submitted: number[] = []
    const { results } = run(
      new AbortController(),
      {},
      {
        submit: async (index) => {
          // The failure of the first comes in between.
          await new Promise((resolve) => setImmediate(resolve))
          submitted.push(index)
          return { id: `job-${index}` }
        },
        follow: (_job, index, signal) => (index === 0 ? Promise.reject(lost) : untilAborted(signal)),
      },
    )
    await expect(results).rejects.toBe(lost)
    expect(submitted.length).toBeLessThan(3)
  })
})
