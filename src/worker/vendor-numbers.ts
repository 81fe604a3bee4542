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

export function readNumbers(output: ProviderOutput): ProviderOutput {
  return {
    ...output,
    usage: output.usage && readUsage(output.usage),
    reportedUsdMicros: wholeNumber(output.reportedUsdMicros),
  }
}

function readUsage(usage: ProviderUsage): ProviderUsage {
  return {
    inputTokens: wholeNumber(usage.inputTokens),
    imageInputTokens: wholeNumber(usage.imageInputTokens),
    outputTokens: wholeNumber(usage.outputTokens),
    imageOutputTokens: wholeNumber(usage.imageOutputTokens),
    totalTokens: wholeNumber(usage.totalTokens),
  }
}
