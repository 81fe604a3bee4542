import type { Estimate, MicrosRange } from '../../generation/services.ts'
import type { Currency } from '../../ledger/currency.ts'
import { toTime } from './generation-view.ts'
import { describeWarning } from './problem-view.ts'

/** What a request would cost, line by line. Unknown prices are null and never 0. */
export function describeEstimate(currency: Currency, estimate: Estimate) {
  const { toMoney } = currency
  const range = (micros: MicrosRange | null) =>
    micros && { min: toMoney(micros.minMicros), max: toMoney(micros.maxMicros) }
  return {
    object: 'image.estimate',
    model: estimate.model.id,
    provider: estimate.model.provider,
    total: range(estimate.total),
    per_image: range(estimate.perImage),
    lines: estimate.lines.map(({ label, quantity, unit, unitPriceMicros, totalMicros }) => ({
      label,
      quantity,
      unit: unit.toLowerCase(),
      unit_price: toMoney(unitPriceMicros),
      total: toMoney(totalMicros),
    })),
    balance: toMoney(estimate.balanceMicros),
    affordable: estimate.affordable,
    own_key: estimate.ownKey,
    provider_price: range(estimate.providerPrice),
    warnings: estimate.warnings.map(describeWarning),
    price_as_of: toTime(estimate.priceAsOf),
    price_source: estimate.priceSource,
  }
}
