const TAIL = 4_000
const MAX_MESSAGE = 160
/** What a progress bar writes: ` 76%|███████   | 19/25 [00:03<00:01]`. */
const BAR = /(\d{1,3})%\s*\|/g

/** What the log of a running model says of how far it has come; null where it says nothing. */
export function readLogProgress(log: string): { readonly progress: number | null; readonly message?: string } {
  const tail = log.slice(-TAIL)
  const percent = [...tail.matchAll(BAR)].at(-1)?.[1]
  const progress = percent === undefined ? null : Math.min(Number(percent), 100) / 100
  const line = tail.split(/[\r\n]+/).findLast((each) => each.trim() !== '')
  return { progress, ...(line !== undefined && { message: line.trim().slice(0, MAX_MESSAGE) }) }
}
