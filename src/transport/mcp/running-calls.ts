import type { Viewer } from '../../viewer.ts'

/** Which call: ids are counted anew by each client, and clients with one key are told apart by their label. */
export type CallName = {
  readonly viewer: Viewer
  /** What `initialize` handed out; null: the client sends none, and can only hang up. */
  readonly label: string | null
  readonly id: string | number | null
}

/** Calls that are being answered here, so that `notifications/cancelled` finds the one that it is about. */
export type RunningCalls = {
  /** `cancel` is called at most once. Returns what takes it out again. */
  add(name: CallName, cancel: () => void): () => void
  /** Nothing happens where no such call runs: it has ended, or another process answers it. */
  cancel(name: CallName): void
  size(): number
}

export function createRunningCalls(): RunningCalls {
  const running = new Map<string, () => void>()
  return {
    add(name, cancel) {
      const key = keyOf(name)
      if (key === null) return () => undefined
      running.set(key, cancel)
      return () => {
        if (running.get(key) === cancel) running.delete(key)
      }
    },
    cancel(name) {
      const key = keyOf(name)
      if (key === null) return
      running.get(key)?.()
      running.delete(key)
    },
    size: () => running.size,
  }
}

function keyOf({ viewer, label, id }: CallName): string | null {
  if (label === null || id === null) return null
  return JSON.stringify([viewer.accountId, viewer.apiKeyId, viewer.tokenId, label, id])
}
