import type { Clock } from '../../clock.ts'
import type { ProviderCall, ProviderOutput } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import type { EngineAccess } from '../wire/engine-http.ts'
import { pollUntilDone } from '../wire/polling.ts'
import type { ComfyuiEngine } from './comfyui-engine.ts'
import { createForgotten, toRunFailure } from './comfyui-failures.ts'
import type { RunEnding, RunFailure } from './comfyui-wire.ts'

/** A run that the engine has taken. */
export type TakenRun = {
  readonly promptId: string
  /** Which images of the request it makes, in the order of its pictures. */
  readonly indexes: readonly number[]
  readonly seed: number | null
}

type Following = {
  readonly name: string
  readonly engine: ComfyuiEngine
  readonly access: EngineAccess
  /** Its pauses end when the socket tells that the run is over. */
  readonly clock: Clock
  /** What the socket has told of the run. */
  failure(): RunFailure | null
}

/** The socket is quicker; where there is none, this is how late a run's end may be seen. */
const PAUSE_MS = 2_000
const RUN_LIMIT_MS = 60 * 60_000
/** The queue is answered with every graph in it, so it is asked for more rarely than the history is. */
const LOOKS_FOR_ONE_AT_QUEUE = 5

/** Waits for the end of a run. Throws ProviderError. */
export function awaitEnding(given: Following, { promptId }: TakenRun): Promise<RunEnding> {
  const { name, engine, access, clock } = given
  let looks = 0
  let absences = 0

  async function look(): Promise<RunEnding | ProviderError | undefined> {
    const ending = await engine.findEnding(promptId, access)
    if (ending) return ending
    looks += 1
    if (looks % LOOKS_FOR_ONE_AT_QUEUE !== 1) return undefined
    if ((await engine.findInQueue(promptId, access)) !== null) {
      absences = 0
      return undefined
    }
    // It may have ended between the two looks. Absent twice, with looks in between, it is gone.
    const late = await engine.findEnding(promptId, access)
    if (late) return late
    absences += 1
    return absences < 2 ? undefined : createForgotten(name, promptId)
  }

  return pollUntilDone({ vendor: name, clock, signal: access.signal, pauseMs: PAUSE_MS, limitMs: RUN_LIMIT_MS }, look)
}

/** Fetches what a run has made and hands it over. Answers with the images that are missing and known why. */
export async function handOver(
  given: Following & { readonly call: ProviderCall; readonly outputs: readonly string[] | null },
  run: TakenRun,
  ending: RunEnding,
): Promise<ProviderOutput['failures']> {
  const { name, engine, access, call } = given
  const failure = ending.failure && toRunFailure(name, given.failure() ?? ending.failure, run.promptId)
  const pictures = choosePictures(ending, given.outputs)
  if (pictures.length === 0) throw failure ?? createMisunderstanding(name, run.promptId)
  const failures: { imageIndex: number; error: ProviderError }[] = []
  for (const [place, imageIndex] of run.indexes.entries()) {
    const picture = pictures[place]
    if (call.delivered.has(imageIndex)) continue
    const bytes = picture ? await settle(engine.fetchPicture(picture, run.promptId, access), access) : failure
    if (bytes instanceof ProviderError) failures.push({ imageIndex, error: bytes })
    else if (bytes) await call.onImage({ index: imageIndex, bytes, seed: run.seed, revisedPrompt: null })
  }
  return failures
}

/** Those of the named nodes. Otherwise saved ones or, where a whole run has saved none, those that it only showed. */
function choosePictures({ pictures, failure }: RunEnding, outputs: readonly string[] | null): RunEnding['pictures'] {
  if (outputs) return outputs.flatMap((node) => pictures.filter((picture) => picture.node === node))
  const saved = pictures.filter(({ type }) => type === 'output')
  return saved.length > 0 || failure ? saved : pictures
}

/** One picture that cannot be fetched does not keep the others. */
async function settle(work: Promise<Uint8Array>, { signal }: EngineAccess): Promise<Uint8Array | ProviderError> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof ProviderError) || signal.aborted) throw error
    return error
  }
}
