import type { ProviderUsage } from '../provider.ts'
import { isRecord, type JsonRecord, readNumber, readRecord, readRecords, readText } from '../wire/json-values.ts'

/** What generateContent answers, as far as it is read here. Source: the SDK's types 3.1.0. */
export type GoogleReply = {
  /** Base64 of the finished picture; null: there is none. */
  readonly image: string | null
  /** What it says in words, where it does. */
  readonly text: string | null
  /** The prompt was not taken. */
  readonly blockReason: string | null
  /** How the answer ended. */
  readonly finishReason: string | null
  readonly reasonText: string | null
  readonly usage: ProviderUsage | null
  readonly responseId: string | null
}

/** undefined: it is no such answer. */
export function readReply(json: unknown): GoogleReply | undefined {
  if (!isRecord(json)) return undefined
  const feedback = readRecord(json.promptFeedback)
  const [candidate] = readRecords(json.candidates)
  const blockReason = readText(feedback?.blockReason)
  if (candidate === undefined && blockReason === null) return undefined
  // Thoughts, pictures among them, are sketches on the way.
  const parts = readRecords(readRecord(candidate?.content)?.parts).filter((part) => part.thought !== true)
  const images = parts.flatMap((part) => readText(readRecord(part.inlineData)?.data) ?? [])
  const texts = parts.flatMap((part) => readText(part.text) ?? [])
  return {
    image: images.at(-1) ?? null,
    text: texts.length === 0 ? null : texts.join(' '),
    blockReason,
    finishReason: readText(candidate?.finishReason),
    reasonText: readText(candidate?.finishMessage) ?? readText(feedback?.blockReasonMessage),
    usage: readUsage(readRecord(json.usageMetadata)),
    responseId: readText(json.responseId),
  }
}

/** A count of 0 is left out by the vendor. */
function readUsage(usage: JsonRecord | null): ProviderUsage | null {
  const tokensIn = readNumber(usage?.promptTokenCount)
  if (usage === null || tokensIn === null) return null
  const imagesIn = imageTokensOf(usage.promptTokensDetails) ?? 0
  const tokensOut = readNumber(usage.candidatesTokenCount) ?? 0
  // Only pictures are asked for: where nothing is told apart, all of it is the picture.
  const imagesOut = imageTokensOf(usage.candidatesTokensDetails) ?? tokensOut
  return {
    inputTokens: Math.max(0, tokensIn - imagesIn),
    imageInputTokens: imagesIn,
    outputTokens: Math.max(0, tokensOut - imagesOut) + (readNumber(usage.thoughtsTokenCount) ?? 0),
    imageOutputTokens: imagesOut,
    totalTokens: readNumber(usage.totalTokenCount),
  }
}

/** null: they are not told apart. */
function imageTokensOf(details: unknown): number | null {
  const records = readRecords(details)
  if (records.length === 0) return null
  return records
    .filter(({ modality }) => modality === 'IMAGE')
    .reduce((sum, { tokenCount }) => sum + (readNumber(tokenCount) ?? 0), 0)
}
