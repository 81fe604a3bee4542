import { GENERATE, post } from '../load.ts'
import { startBaseline, startPictor } from '../server-process.ts'
import type { Figure } from '../table.ts'

const BODY = {
  query: GENERATE,
  variables: { input: { prompt: 'a red fox in snow', size: '1024x1024' } },
}

/** Durable, with the hold: against the same selection answered by a constant. The queue is not worked off meanwhile. */
export async function accept(): Promise<Figure[]> {
  const baseline = await startBaseline()
  const bare = await post(baseline.url, BODY).finally(() => baseline.stop())
  const server = await startPictor({ PICTOR_ROLES: 'api' })
  const real = await post(server.url, BODY).finally(() => server.stop())
  return [
    { name: 'bare yoga mutation', value: bare.requests.average, unit: '/s' },
    { name: 'accepted generateImage', value: real.requests.average, unit: '/s' },
    {
      name: 'ratio',
      value: real.requests.average / bare.requests.average,
      unit: '',
      goal: 'at least 0.4',
      met: real.requests.average / bare.requests.average >= 0.4,
    },
    { name: 'accepted, p50', value: real.latency.p50, unit: 'ms' },
    { name: 'accepted, p99', value: real.latency.p99, unit: 'ms' },
  ]
}
