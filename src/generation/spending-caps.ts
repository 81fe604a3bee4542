import { CostLimitError } from '../errors.ts'
import { type SpendCap, utcDay } from '../ledger/ledger.ts'
import { parseMicros } from '../money.ts'
import type { Viewer } from '../viewer.ts'
import type { GenerationInput } from './generation-types.ts'
import type { ModelChoice } from './model-choice.ts'

/** What can be told without the ledger: the request's own cap, and a price that is not known where any cap applies. */
export function assertCaps(
  viewer: Viewer,
  input: GenerationInput,
  choice: ModelChoice,
  account: { billing: string; balanceMicros: number; dailySpendMicros: number | null } | undefined,
): void {
  const maxCost = input.maxCost === null ? null : parseMicros(input.maxCost)
  const estimateMicros = choice.estimate?.maxMicros ?? null
  if (estimateMicros !== null) {
    if (maxCost === null || estimateMicros <= maxCost) return
    const message = 'The request may cost more than its `maxCost`.'
    throw new CostLimitError({ message, estimateMicros, limitMicros: maxCost })
  }
  const prepaid = account?.billing === 'PREPAID' ? account.balanceMicros : null
  const caps = [
    maxCost,
    viewer.tokenMaxSpendMicros,
    viewer.keyDailySpendMicros,
    account?.dailySpendMicros ?? null,
    prepaid,
  ]
  const limitMicros = caps.find((cap) => cap !== null)
  if (limitMicros === undefined || limitMicros === null) return
  const message = `The price of ${choice.first.modelId} is not known, and spending is capped here. Choose a model with a known price.`
  throw new CostLimitError({ message, estimateMicros, limitMicros })
}

/** What the ledger holds a key's and a token's spending against. */
export function capsOf(viewer: Viewer, now: number): SpendCap[] {
  const { apiKeyId, keyDailySpendMicros, tokenId, tokenMaxSpendMicros } = viewer
  const caps: SpendCap[] = []
  if (apiKeyId !== null && keyDailySpendMicros !== null) {
    caps.push({ scope: `key:${apiKeyId}`, day: utcDay(now), limitMicros: keyDailySpendMicros })
  }
  if (tokenId !== null && tokenMaxSpendMicros !== null) {
    caps.push({ scope: `token:${tokenId}`, day: 0, limitMicros: tokenMaxSpendMicros })
  }
  return caps
}
