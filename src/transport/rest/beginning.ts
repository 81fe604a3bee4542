import type { Clock } from '../../clock.ts'
import { NotFoundError } from '../../errors.ts'
import type { Generation } from '../../generation/generation-types.ts'
import { toGenerationInput } from '../../generation/given-input.ts'
import type { Services } from '../../services.ts'
import type { Call } from '../call.ts'
import { headerOf } from '../request-facts.ts'
import type { ImageRequest } from './generation-fields.ts'
import { type BegunCall, createRepeatedCalls, keyOfMark, keyPrefixOf, markOf, REMEMBERED_MS } from './repeated-calls.ts'

export type Begun = { readonly generation: Generation; readonly replayed: boolean }

/** Makes the generation of a call, or finds the one that it has made before. Throws as `create` does. */
export type Begin = (call: Call, request: ImageRequest) => Promise<Begun>

export function createBeginning(deps: {
  readonly services: Pick<Services, 'generations' | 'reader'>
  readonly clock: Pick<Clock, 'now'>
}): Begin {
  const { generations, reader } = deps.services
  const repeated = createRepeatedCalls(deps)

  async function again(call: Call, made: Promise<string>): Promise<Begun> {
    const generation = await reader.find(call.viewer, await made)
    if (generation === undefined) throw new NotFoundError('generation')
    return { generation, replayed: true }
  }

  /** What the same call has begun, here or in a process that is no more; null: nothing. */
  async function findBegun(call: Call, mark: string): Promise<BegunCall | null> {
    const known = repeated.find(mark)
    if (known !== null) return known
    const since = deps.clock.now() - REMEMBERED_MS
    const written = await reader.listOfKeys(call.viewer, { prefix: keyPrefixOf(mark), since })
    const untold = written.find(({ id }) => !repeated.wasTold(id))
    return untold === undefined ? null : repeated.remember(mark, Promise.resolve(untold.id))
  }

  function keep({ response }: Call, { told, lost }: BegunCall): void {
    response.once('finish', told).once('close', lost)
  }

  return async (call, request) => {
    const input = toGenerationInput(request.takeInput())
    const mark = markOf(call.viewer, request.kind, request.digest)
    const repetitions = input.idempotencyKey === null ? countRepetitions(call) : null
    const before = repetitions ? await call.inTime(findBegun(call, mark)) : null
    if (before !== null) {
      keep(call, before)
      return await call.inTime(again(call, before.made))
    }
    const named = repetitions === null ? input : { ...input, idempotencyKey: keyOfMark(mark) }
    const work = generations.create(call.viewer, named)
    const made = work.then(({ generation }) => generation.id)
    keep(call, repeated.remember(mark, made))
    return await call.inTime(work)
  }
}

/** In which SDKs count their own repetitions. */
export const COUNT_HEADER = 'x-stainless-retry-count'

/** From 0; null: it is no SDK's. */
function countRepetitions({ request }: Call): number | null {
  const told = headerOf(request, COUNT_HEADER)
  return told === null ? null : Number(told) || 0
}
