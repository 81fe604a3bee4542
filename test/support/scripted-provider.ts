import type {
  ImageProvider,
  ProviderCall,
  ProviderOutput,
  ProviderReference,
  ProviderRequest,
} from '../../src/providers/provider.ts'
import { type Delivery, ProviderError, type ProviderErrorKind } from '../../src/providers/provider-error.ts'
import type { Secret } from '../../src/secret.ts'
import { createTinyPng } from './tiny-png.ts'

/** One call of the house to the provider, and what a plan may do in it. */
export type Turn = {
  readonly kind: 'generate' | 'resume'
  readonly request: ProviderRequest
  readonly call: ProviderCall
  /** With `resume`. */
  readonly reference: ProviderReference | null
  /** The first byte leaves: counted as a billable send once the house has let it. */
  send(): Promise<void>
  /** Sends and is accepted under a job id. */
  accept(): Promise<void>
  /** Hands over an image of the index, whole unless told otherwise. */
  image(index: number, bytes?: Uint8Array): Promise<void>
  /** All images that were asked for. */
  images(): Promise<void>
}

export type Plan = (turn: Turn) => Promise<ProviderOutput>

export type ScriptedProvider = ImageProvider & {
  /** Every call so far, in order. */
  readonly turns: readonly Turn[]
  /** Ids of the attempts that sent something billable, once for each send. */
  readonly sends: readonly string[]
  readonly canceled: readonly ProviderReference[]
  /** With which key, once for each of these. */
  readonly cancelKeys: readonly (Secret | null)[]
  /** The next calls go by these plans, one each; those behind them by the default again. */
  plan(...plans: readonly Plan[]): void
  /** Instead of making all images. */
  setDefault(plan: Plan): void
}

export function createScriptedProvider(
  given: {
    readonly id?: string
    readonly keyed?: boolean
    readonly configured?: boolean
    readonly canResume?: boolean
  } = {},
): ScriptedProvider {
  const { id = 'test', keyed = false, configured = true, canResume = true } = given
  const turns: Turn[] = []
  const sends: string[] = []
  const canceled: ProviderReference[] = []
  const cancelKeys: (Secret | null)[] = []
  const plans: Plan[] = []
  let byDefault: Plan = makesAll
  const take = (turn: Turn): Promise<ProviderOutput> => {
    turns.push(turn)
    return (plans.shift() ?? byDefault)(turn)
  }
  const onSent = (attemptId: string) => void sends.push(attemptId)
  return {
    id,
    name: `Scripted ${id}`,
    keyed,
    configured,
    generate: (request, call) => take(createTurn({ kind: 'generate', request, call, reference: null }, onSent)),
    ...(canResume && {
      resume: (reference, request, call) => take(createTurn({ kind: 'resume', request, call, reference }, onSent)),
    }),
    async cancel(reference, { apiKey }) {
      canceled.push(reference)
      cancelKeys.push(apiKey)
    },
    turns,
    sends,
    canceled,
    cancelKeys,
    plan: (...next) => void plans.push(...next),
    setDefault: (plan) => {
      byDefault = plan
    },
  }
}

function createTurn(
  given: Pick<Turn, 'kind' | 'request' | 'call' | 'reference'>,
  onSent: (attemptId: string) => void,
): Turn {
  const { call, request } = given
  const turn: Turn = {
    ...given,
    async send() {
      await call.onSending()
      onSent(call.attemptId)
    },
    async accept() {
      await turn.send()
      await call.onAccepted({ jobId: `job-of-${call.attemptId}` })
    },
    image: (index, bytes = createTinyPng(index + 1)) => call.onImage({ index, bytes, seed: null, revisedPrompt: null }),
    async images() {
      for (let index = 0; index < request.count; index++) await turn.image(index)
    },
  }
  return turn
}

/** What a provider answers that has nothing to add. */
export function answer(output: Partial<ProviderOutput> = {}): ProviderOutput {
  return { failures: [], usage: null, reportedUsdMicros: null, requestId: 'req-1', ...output }
}

export const makesAll: Plan = async (turn) => {
  if (turn.kind === 'generate') await turn.send()
  await turn.images()
  return answer()
}

/** Makes these and says nothing of the others, or what `output` says. */
export function makes(indexes: readonly number[], output: Partial<ProviderOutput> = {}): Plan {
  return async (turn) => {
    await turn.send()
    for (const index of indexes) await turn.image(index)
    return answer(output)
  }
}

export function failure(
  kind: ProviderErrorKind,
  delivery: Delivery,
  details: { readonly retryAfterMs?: number; readonly providerBilled?: boolean | null } = {},
): ProviderError {
  return new ProviderError({ kind, delivery, message: `The provider says ${kind}.`, ...details })
}

export function fails(error: unknown): Plan {
  return async (turn) => {
    await turn.send()
    throw error
  }
}

export type HeldPlan = {
  readonly plan: Plan
  /** The turn, once the house has called. */
  readonly begun: Promise<Turn>
  /** Goes on by another plan. */
  release(plan?: Plan): void
}

/** Waits in the middle of a call until the test lets it go on, or the house gives it up. */
export function holds(before: (turn: Turn) => Promise<void> = (turn) => turn.send()): HeldPlan {
  const begun = Promise.withResolvers<Turn>()
  const released = Promise.withResolvers<Plan>()
  return {
    begun: begun.promise,
    release: (plan = finishes) => released.resolve(plan),
    async plan(turn) {
      await before(turn)
      begun.resolve(turn)
      return (await Promise.race([released.promise, untilAborted(turn)]))(turn)
    },
  }
}

/** What was begun comes to its good end. */
const finishes: Plan = async (turn) => {
  await turn.images()
  return answer()
}

function untilAborted({ call: { signal } }: Turn): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(failure('UNAVAILABLE', 'UNKNOWN'))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
}
