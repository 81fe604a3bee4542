import { expect } from 'vitest'

/** For what nothing tells of: a machine under load is given its time. */
export const SOON = { timeout: 10_000, interval: 10 }

/** Sum of a gauge or counter over its labels, as Prometheus reads it; 0 where it has no series yet. */
export async function readMetric(origin: string, name: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Resolves when so many subscriptions run: whatever happens from then on is seen by them. */
export async function untilSubscribed(origin: string, count: number): Promise<void> {
  await expect.poll(() => readMetric(origin, 'pictor_subscriptions'), SOON).toBe(count)
}
