import type { ProviderOutput, ProviderUsage } from '../providers/provider.ts'

/**
 * Numbers that vendors state are read tolerantly: what cannot be one is taken for not told, since a picture that was
 * made and paid for must not be lost over a count of tokens.
 */
export function wholeNumber(value: number | null): number | null {
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null
}

/** 0 to 1. */
export function share(value: number | null): number | null {
  return value === null || Number.isNaN(value) ? null : Math.min(Math.max(value, 0), 1)
}

/**
 * Of one request. What is more is no count of anything, and would come to an amount that cannot be counted any more: the
 * pictures could not be settled.
 */
const MAX_TOKENS = 100_000_000
const MAX_USD_MICROS = 100_000_000_000

export function readNumbers(output: ProviderOutput): ProviderOutput {
  return {
    ...output,
    usage: output.usage && readUsage(output.usage),
    reportedUsdMicros: numberUpTo(MAX_USD_MICROS, output.reportedUsdMicros),
  }
}

function readUsage(usage: ProviderUsage): ProviderUsage {
  return {
    inputTokens: numberUpTo(MAX_TOKENS, usage.inputTokens),
    imageInputTokens: numberUpTo(MAX_TOKENS, usage.imageInputTokens),
    outputTokens: numberUpTo(MAX_TOKENS, usage.outputTokens),
    imageOutputTokens: numberUpTo(MAX_TOKENS, usage.imageOutputTokens),
    totalTokens: numberUpTo(MAX_TOKENS, usage.totalTokens),
  }
}

function numberUpTo(max: number, value: number | null): number | null {
  const number = wholeNumber(value)
  return number !== null && number <= max ? number : null
}
