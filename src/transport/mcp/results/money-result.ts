import { z } from 'zod'
import type { MicrosRange } from '../../../generation/services.ts'
import type { Currency } from '../../../ledger/currency.ts'

export const MoneySchema = z
  .object({
    amount: z.string().describe('Decimal text with six places, in the currency beside it.'),
    currency: z.string().describe('ISO 4217 code, the same everywhere on one server.'),
    credits: z.string().describe("The same in credits, at the server's rate."),
  })
  .meta({ id: 'Money' })

export const MoneyRangeSchema = z
  .object({
    min: MoneySchema.describe('The least that it can be.'),
    max: MoneySchema.describe('The most. This is what is held, and never less than what is charged.'),
  })
  .meta({ id: 'MoneyRange' })

export type MoneyRange = z.output<typeof MoneyRangeSchema>

/** null where the price is not known: never a guess, never 0. */
export function toMoneyRange(currency: Currency, range: MicrosRange | null): MoneyRange | null {
  return range && { min: currency.toMoney(range.minMicros), max: currency.toMoney(range.maxMicros) }
}
