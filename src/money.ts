/**
 * Money is an integer number of micro-units (a millionth) of the ledger's one currency. Floats never touch it: decimal
 * text goes to micros and back, and factors are ratios of integers.
 */

/** Above this an integer loses digits in JavaScript; SQLite and PostgreSQL could hold it, we could not. */
export const MAX_MICROS = Number.MAX_SAFE_INTEGER

/** A non-negative decimal as a ratio, exact: "1.25" is 125n / 100n. */
export type Ratio = { readonly numerator: bigint; readonly denominator: bigint }

const DECIMAL = /^(-?)(\d{1,15})(?:\.(\d{1,18}))?$/

/** Reads "0.04" to 40000. Returns null for what is no plain decimal, has more than six places, or is too large. */
export function parseMicros(text: string): number | null {
  const match = DECIMAL.exec(text)
  if (!match) return null
  const [, sign, whole = '', fraction = ''] = match
  const places = fraction.replace(/0+$/, '')
  if (places.length > 6) return null
  const micros = BigInt(whole) * 1_000_000n + BigInt(places.padEnd(6, '0'))
  if (micros > BigInt(MAX_MICROS)) return null
  return sign === '-' ? -Number(micros) || 0 : Number(micros)
}

/** 40000 is "0.040000": always six places, so that sums line up and text compares. */
export function formatMicros(micros: number): string {
  if (!Number.isSafeInteger(micros)) throw new RangeError(`Not a whole number of micro-units: ${micros}`)
  return formatMillionths(BigInt(micros))
}

/** `formatMicros` for numbers that are no money and may be larger: 1500000n is "1.500000". */
export function formatMillionths(millionths: bigint): string {
  const digits = String(millionths < 0n ? -millionths : millionths).padStart(7, '0')
  return `${millionths < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`
}

/** Reads a non-negative decimal exactly. Returns null for anything else. */
export function parseRatio(text: string): Ratio | null {
  const match = DECIMAL.exec(text)
  if (!match || match[1] === '-') return null
  const [, , whole = '', fraction = ''] = match
  return { numerator: BigInt(whole + fraction), denominator: 10n ** BigInt(fraction.length) }
}

export function multiplyRatios(...ratios: readonly Ratio[]): Ratio {
  return ratios.reduce(
    (product, next) => ({
      numerator: product.numerator * next.numerator,
      denominator: product.denominator * next.denominator,
    }),
    { numerator: 1n, denominator: 1n },
  )
}

export function addRatios(...ratios: readonly Ratio[]): Ratio {
  return ratios.reduce(
    (sum, next) => ({
      numerator: sum.numerator * next.denominator + next.numerator * sum.denominator,
      denominator: sum.denominator * next.denominator,
    }),
    { numerator: 0n, denominator: 1n },
  )
}

/**
 * A ratio of micro-units as whole micro-units, rounded up (towards positive): a price never comes out below what it
 * costs. Throws a RangeError above `MAX_MICROS`.
 */
export function roundUpMicros(ratio: Ratio): number {
  const { numerator, denominator } = ratio
  // Division of bigints cuts towards zero, which for a negative amount is up already.
  const micros = numerator > 0n ? (numerator + denominator - 1n) / denominator : numerator / denominator
  if (micros > BigInt(MAX_MICROS) || micros < -BigInt(MAX_MICROS)) {
    throw new RangeError('An amount of money is too large to be counted exactly.')
  }
  return Number(micros)
}

/** `micros × ratio`, rounded up to a whole micro-unit. */
export function scaleMicros(micros: number, ratio: Ratio): number {
  return roundUpMicros({ numerator: BigInt(micros) * ratio.numerator, denominator: ratio.denominator })
}
