import { formatMicros, formatMillionths, multiplyRatios, parseRatio, type Ratio, roundUpMicros } from '../money.ts'

/** The currency of the ledger, as the operator sets it. Decimal text throughout. */
export type CurrencySettings = {
  /** ISO 4217. */
  readonly code: string
  /** What one US dollar of vendor price is in this currency. */
  readonly usdRate: string
  /** Factor on vendor prices. */
  readonly markup: string
  /** Worth of one credit in this currency. */
  readonly credit: string
}

/** As clients see it; `amount` and `credits` have six places. */
export type Money = { readonly amount: string; readonly currency: string; readonly credits: string }

export type Currency = {
  readonly settings: CurrencySettings
  toMoney(micros: number): Money
  /** `quantity` units at a vendor price of `usd` dollars each, with rate and markup, rounded up once. */
  usdToMicros(usd: string, quantity: Ratio): number
  /** What a vendor says that it charged us: with the rate, without the markup. Micro-units of dollars to our own. */
  reportedToMicros(usdMicros: number): number
}

/** Throws a RangeError that names the variable and the mend. */
export function createCurrency(settings: CurrencySettings): Currency {
  if (!/^[A-Z]{3}$/.test(settings.code)) {
    throw new RangeError(
      `PICTOR_CURRENCY must be an ISO 4217 code of three capital letters, e.g. EUR; it is "${settings.code}".`,
    )
  }
  const usdRate = readFactor('PICTOR_USD_RATE', settings.usdRate)
  const markup = readFactor('PICTOR_MARKUP', settings.markup)
  const credit = readFactor('PICTOR_CREDIT', settings.credit)

  return {
    settings,
    toMoney: (micros) => ({
      amount: formatMicros(micros),
      currency: settings.code,
      credits: formatMillionths(divideRounded(BigInt(micros) * credit.denominator, credit.numerator)),
    }),
    usdToMicros: (usd, quantity) => roundUpMicros(multiplyRatios(readUsdMicros(usd), quantity, usdRate, markup)),
    reportedToMicros: (usdMicros) =>
      roundUpMicros(multiplyRatios({ numerator: BigInt(usdMicros), denominator: 1n }, usdRate)),
  }
}

/** A vendor price in dollars as an exact number of millionths of a dollar. Throws a RangeError for what is no price. */
export function readUsdMicros(usd: string): Ratio {
  const price = parseRatio(usd)
  if (!price) throw new RangeError(`A price must be a decimal of US dollars, e.g. 0.04; it is "${usd}".`)
  return { numerator: price.numerator * 1_000_000n, denominator: price.denominator }
}

function readFactor(variable: string, text: string): Ratio {
  const ratio = parseRatio(text)
  if (ratio && ratio.numerator > 0n) return ratio
  throw new RangeError(`${variable} must be a plain decimal greater than 0, e.g. 0.92; it is "${text}".`)
}

/** Halves go away from zero. `divisor` is positive. */
function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const half = dividend < 0n ? -divisor : divisor
  return (2n * dividend + half) / (2n * divisor)
}
