import { GENERATE, post } from '../load.ts'
import { type ServerProcess, startBaseline, startPictor } from '../server-process.ts'
import type { Figure } from '../table.ts'

const BODY = {
  query: GENERATE,
  variables: { input: { prompt: 'a red fox in snow', size: '1024x1024' } },
}

/** Durable, with the hold: against the same selection answered by a constant. The queue is not worked off meanwhile. */
export async function accept(): Promise<Figure[]> {
  const bare = await measure(await startBaseline())
  const real = await measure(await startPictor({ PICTOR_ROLES: 'api' }))
  const ratio = real.perSecond / bare.perSecond
  return [
    { name: 'bare yoga mutation', value: bare.perSecond, unit: '/s' },
    { name: 'accepted generateImage', value: real.perSecond, unit: '/s' },
    { name: 'ratio', value: ratio, unit: '', goal: 'at least 0.4', met: ratio >= 0.4 },
    { name: 'bare, processor time each', value: bare.processorMs, unit: 'ms' },
    { name: 'accepted, processor time each', value: real.processorMs, unit: 'ms' },
    { name: 'accepted, p50', value: real.p50Ms, unit: 'ms' },
    { name: 'accepted, p99', value: real.p99Ms, unit: 'ms' },
  ]
}

async function measure(server: ServerProcess) {
  try {
    await post(server.url, BODY, { seconds: 2 })
    const before = await server.processorSeconds()
    const { requests, latency } = await post(server.url, BODY)
    const processorMs = (((await server.processorSeconds()) - before) * 1000) / requests.total
    return { perSecond: requests.average, processorMs, p50Ms: latency.p50, p99Ms: latency.p99 }
  } finally {
    await server.stop()
  }
}
