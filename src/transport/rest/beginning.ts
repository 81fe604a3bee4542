import type { Clock } from '../../clock.ts'
import { NotFoundError } from '../../errors.ts'
import type { Generation } from '../../generation/generation-types.ts'
import { toGenerationInput } from '../../generation/given-input.ts'
import type { Services } from '../../services.ts'
import type { Call } from '../call.ts'
import { headerOf } from '../request-facts.ts'
import type { ImageRequest } from './generation-fields.ts'
import { type BegunCall, createRepeatedCalls, markOf } from './repeated-calls.ts'

export type Begun = { readonly generation: Generation; readonly replayed: boolean }

/** Makes the generation of a call, or finds the one that it has made before. Throws as `create` does. */
export type Begin = (call: Call, request: ImageRequest) => Promise<Begun>

export function createBeginning(deps: {
  readonly services: Pick<Services, 'generations' | 'reader'>
  readonly clock: Clock
}): Begin {
  const { generations, reader } = deps.services
  const repeated = createRepeatedCalls(deps)

  async function again(call: Call, made: Promise<string>): Promise<Begun> {
    const generation = await reader.find(call.viewer, await made)
    if (generation === undefined) throw new NotFoundError('generation')
    return { generation, replayed: true }
  }

  function keep({ response }: Call, { told, lost }: BegunCall): void {
    response.once('finish', told).once('close', lost)
  }

  return async (call, request) => {
    const input = toGenerationInput(request.takeInput())
    const mark = markOf(call.viewer, request.kind, request.digest)
    const before = input.idempotencyKey === null && isRepetition(call) ? repeated.find(mark) : null
    if (before !== null) {
      keep(call, before)
      return await call.inTime(again(call, before.made))
    }
    const work = generations.create(call.viewer, input)
    const made = work.then(({ generation }) => generation.id)
    keep(call, repeated.remember(mark, made))
    return await call.inTime(work)
  }
}

/** SDKs count their own repetitions. */
function isRepetition({ request }: Call): boolean {
  return Number(headerOf(request, 'x-stainless-retry-count') ?? 0) > 0
}
