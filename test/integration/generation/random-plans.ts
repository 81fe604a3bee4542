import fc from 'fast-check'
import { answer, failure, type Plan, type Turn } from '../../support/scripted-provider.ts'

export type Step = 'send' | 'accept' | 'image' | 'skip' | 'broken' | 'busy' | 'refuse' | 'lose' | 'wait' | 'crash'

const ANY: readonly Step[] = ['send', 'accept', 'image', 'skip', 'broken', 'busy', 'refuse', 'lose', 'wait', 'crash']
/** Rare among random ones, and where most can go wrong. */
const TELLING: readonly (readonly Step[])[] = [
  ['accept', 'image', 'crash', 'image'],
  ['send', 'image', 'crash'],
  ['accept', 'crash', 'image', 'image'],
  ['send', 'crash'],
  ['crash'],
  ['send', 'image', 'busy'],
]

/** What a call of the provider does, step by step; after the last step it answers. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.constantFrom(...ANY), { maxLength: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom(...TELLING) },
)

/** Each generation has its own plan, told apart by its prompt; a resumed call goes through it once more. */
export function createRandomPlan(ordered: ReadonlyMap<string, readonly Step[]>, crash: () => void): Plan {
  return async (turn) => {
    const progress = { next: 0, sent: turn.kind === 'resume' }
    for (const step of ordered.get(turn.request.prompt) ?? []) await take(turn, step, progress, crash)
    if (!progress.sent) await turn.send()
    return answer()
  }
}

async function take(turn: Turn, step: Step, progress: { next: number; sent: boolean }, crash: () => void) {
  const send = async (how: () => Promise<void>) => {
    if (!progress.sent) await how()
    progress.sent = true
  }
  switch (step) {
    case 'send':
      return send(turn.send)
    case 'accept':
      return send(turn.accept)
    case 'image':
      await send(turn.send)
      return turn.image(progress.next++)
    case 'skip':
      progress.next++
      return
    case 'broken':
      await send(turn.send)
      return turn.image(progress.next++, Buffer.from('broken'))
    case 'busy':
      throw failure('RATE_LIMITED', progress.sent ? 'NOT_ACCEPTED' : 'NOT_SENT', { retryAfterMs: 500 })
    case 'refuse':
      await send(turn.send)
      throw failure('REFUSED', 'ANSWERED')
    case 'lose':
      await send(turn.send)
      throw failure('TIMEOUT', 'UNKNOWN')
    case 'wait':
      return untilAborted(turn)
    case 'crash':
      crash()
      return new Promise<void>(() => {})
  }
}

function untilAborted({ call: { signal } }: Turn): Promise<void> {
  return new Promise((_, reject) => {
    const stop = () => reject(failure('UNAVAILABLE', 'UNKNOWN'))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
}
