import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

type LoadResult = {
  requests: { average: number; total: number }
  latency: { p50: number; p99: number }
  non2xx: number
  errors: number
}
type Autocannon = (options: Record<string, unknown>) => Promise<LoadResult>

/** The package has no types of its own. */
const autocannon: Autocannon = createRequire(import.meta.url)('autocannon')

export const GENERATE = readFileSync(new URL('../schema/operations/generate.graphql', import.meta.url), 'utf8')

/** Posts the same operation over `connections` connections for some seconds. */
export async function post(
  url: string,
  body: object,
  { connections = 32, seconds = 8 }: { connections?: number; seconds?: number } = {},
): Promise<LoadResult> {
  const options = {
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    connections,
  }
  const result = await autocannon({ ...options, duration: seconds })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx + result.errors} requests failed.`)
  return result
}
