import { RequestError } from '../errors.ts'

/** Runs at most `maxConcurrent` tasks; `maxQueued` more wait in order; the next is refused with UNAVAILABLE. */
export type BoundedLimiter = { run<T>(task: () => Promise<T>): Promise<T> }

export function createBoundedLimiter(limits: {
  maxConcurrent: number
  maxQueued: number
  /** What the one that is refused reads. */
  refusal: string
}): BoundedLimiter {
  let running = 0
  const waiting: (() => void)[] = []
  const enter = async () => {
    if (running < limits.maxConcurrent) {
      running += 1
      return
    }
    if (waiting.length >= limits.maxQueued) {
      throw new RequestError('UNAVAILABLE', limits.refusal)
    }
    const turn = Promise.withResolvers<void>()
    waiting.push(turn.resolve)
    await turn.promise
  }
  /** The place is handed on, never freed in between: a newcomer cannot slip in before the first in line. */
  const leave = () => {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }
  return {
    run: async (task) => {
      await enter()
      try {
        return await task()
      } finally {
        leave()
      }
    },
  }
}
