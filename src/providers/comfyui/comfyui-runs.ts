import type { Clock } from '../../clock.ts'
import type { ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import { assertWanted } from '../wire/call-failures.ts'
import type { EngineAccess } from '../wire/engine-http.ts'
import { failuresOf, throwIfAlone, valuesOf } from '../wire/fan-out.ts'
import { createPartsProgress } from '../wire/parts-progress.ts'
import { runJobs, type SubmittedJob } from '../wire/submitted-jobs.ts'
import { readBeforeSending } from '../wire/wire-fault.ts'
import type { ComfyuiEngine } from './comfyui-engine.ts'
import { awaitEnding, handOver, type TakenRun } from './comfyui-follow.ts'
import { assertFits, countRuns, fillGraph, type Uploaded } from './comfyui-graph.ts'
import { createMessageRouter, type RunListener } from './comfyui-messages.ts'
import { clientIdOf, promptIdOf, seedOf } from './comfyui-run.ts'
import { openEngineSocket } from './comfyui-socket.ts'
import type { ComfyuiTemplate } from './comfyui-template.ts'
import { createRunWatch, type RunWatch } from './comfyui-watch.ts'

type Engine = {
  readonly name: string
  readonly clock: Clock
  readonly engine: ComfyuiEngine
  readonly baseUrl: string
}

type Work = {
  readonly request: ProviderRequest
  readonly call: ProviderCall
  /** Of an attempt that is resumed; null: a new one. */
  readonly reference: ProviderReference | null
  readonly template: ComfyuiTemplate
  readonly access: EngineAccess
  upload(): Promise<Uploaded>
}

const FIND_TRIES = 4
const FIND_PAUSE_MS = 1_000

/** The runs of a request, with one socket for all of them while they last. */
export async function runGraphs(engine: Engine, work: Work): Promise<ProviderOutput> {
  const { call, access, reference } = work
  assertWanted(call.signal, reference !== null)
  const listeners = new Map<string, RunListener>()
  const socket = openEngineSocket({
    baseUrl: engine.baseUrl,
    clientId: clientIdOf(call.attemptId),
    headers: access.headers,
    clock: engine.clock,
    onMessage: createMessageRouter((promptId) => listeners.get(promptId)),
  })
  access.signal.addEventListener('abort', socket.close, { once: true })
  try {
    // What is told before anybody listens is told to nobody.
    await socket.ready
    const parts = countRuns(work.template, work.request)
    const results = await runJobs({ parts, call, reference }, createSteps(engine, work, listeners))
    throwIfAlone(results, results.length)
    const values = valuesOf(results)
    return {
      failures: [...failuresOf(results), ...values.flatMap((value) => value.failures)],
      usage: null,
      reportedUsdMicros: null,
      requestId: values[0]?.promptId ?? null,
    }
  } finally {
    access.signal.removeEventListener('abort', socket.close)
    socket.close()
  }
}

function createSteps({ name, clock, engine }: Engine, work: Work, listeners: Map<string, RunListener>) {
  const { request, call, template, access } = work
  const runs = countRuns(template, request)
  const progress = createPartsProgress(call, runs)
  const watches = Array.from({ length: request.count }, (_, index) => watchRun(index))

  function watchRun(index: number): RunWatch {
    return createRunWatch({
      clock,
      progressNodes: template.progress,
      previews: request.previews,
      onProgress: (share) => progress.update(index, share),
      // Of several pictures in one run the engine shows the first.
      onPreview: (bytes) => call.onPreview({ index, bytes }),
    })
  }

  function toJob(promptId: string, index: number): SubmittedJob {
    const indexes = runs === 1 ? Array.from({ length: request.count }, (_, each) => each) : [index]
    return { id: promptId, indexes, seed: seedOf(template, request, { attemptId: call.attemptId, index }) }
  }

  async function submit(index: number): Promise<SubmittedJob> {
    readBeforeSending(name, () => assertFits(template, request))
    const { attemptId } = call
    const seed = seedOf(template, request, { attemptId, index })
    const graph = fillGraph(template, request, { ...(await work.upload()), seed })
    const promptId = promptIdOf(attemptId, index)
    listen(promptId, index)
    return toJob(await engine.submit({ graph, promptId, clientId: clientIdOf(attemptId) }, access), index)
  }

  /** The id is ours alone. A server that has not read the request yet, or knows no ids but its own, does not have it. */
  async function find(index: number): Promise<SubmittedJob | undefined> {
    const promptId = promptIdOf(call.attemptId, index)
    for (let tries = 1; ; tries++) {
      if ((await engine.findInQueue(promptId, access)) ?? (await engine.findEnding(promptId, access))) {
        return toJob(promptId, index)
      }
      if (tries === FIND_TRIES || access.signal.aborted) return undefined
      await clock.sleep(FIND_PAUSE_MS, access.signal)
    }
  }

  async function follow(job: SubmittedJob, index: number, signal: AbortSignal) {
    const run = toRun(job)
    const watch = listen(run.promptId, index)
    const isDelivered = run.indexes.every((each) => call.delivered.has(each))
    if (isDelivered) return { promptId: run.promptId, failures: [] }
    const following = { name, engine, call, outputs: template.outputs, ...watch, access: { ...access, signal } }
    const failures = await handOver(following, run, await awaitEnding(following, run))
    progress.update(index, 1)
    return { promptId: run.promptId, failures }
  }

  function listen(promptId: string, index: number): RunWatch {
    const watch = watches[index] ?? watchRun(index)
    listeners.set(promptId, watch.listener)
    return watch
  }

  return { submit, find, follow }
}

function toRun({ id, indexes, seed }: SubmittedJob): TakenRun {
  const known = Array.isArray(indexes) ? indexes.filter(Number.isInteger) : []
  return { promptId: id, indexes: known, seed: typeof seed === 'number' ? seed : null }
}
