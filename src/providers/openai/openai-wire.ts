import type { ProviderUsage } from '../provider.ts'
import { decodeBase64 } from '../wire/base64-image.ts'
import { isRecord, readRecord, readRecords, readText } from '../wire/json-values.ts'

/** What the Images API answers, as far as it is read here. Source: types and code of the SDK 7.57.0 (2026-11-13). */

/** GPT image models answer with base64 alone; DALL·E with a link, which lives for an hour, where not asked for base64. */
export type ReplyImage = {
  readonly base64: string | null
  readonly url: string | null
  readonly revisedPrompt: string | null
}

export type Reply = { readonly images: readonly ReplyImage[]; readonly usage: ProviderUsage | null }

export type StreamEvent =
  | { readonly kind: 'PARTIAL'; readonly bytes: Uint8Array }
  | { readonly kind: 'COMPLETED'; readonly reply: Reply }

/** undefined: not what is promised, or without any picture. */
export function readReply(json: unknown): Reply | undefined {
  if (!isRecord(json) || !Array.isArray(json.data)) return undefined
  const images = json.data.map(readImage).filter((image) => image !== undefined)
  return images.length === 0 ? undefined : { images, usage: readUsage(json.usage) }
}

/** undefined: an event that says nothing to us. */
export function readStreamEvent(event: unknown): StreamEvent | undefined {
  if (!isRecord(event) || typeof event.type !== 'string') return undefined
  if (/^image_(generation|edit)\.partial_image$/.test(event.type)) {
    const bytes = decodeBase64(event.b64_json)
    return bytes.byteLength === 0 ? undefined : { kind: 'PARTIAL', bytes }
  }
  if (!/^image_(generation|edit)\.completed$/.test(event.type)) return undefined
  const image = readImage(event) ?? { base64: null, url: null, revisedPrompt: null }
  return { kind: 'COMPLETED', reply: { images: [image], usage: readUsage(event.usage) } }
}

/** `YYYY-MM-DD`; null where none is announced. Undefined: not a list. */
export function readModelList(
  json: unknown,
): readonly { readonly name: string; readonly shutsDownAt: number | null }[] | undefined {
  if (!isRecord(json) || !Array.isArray(json.data)) return undefined
  return readRecords(json.data).flatMap(({ id, shutdown_date }) => {
    if (typeof id !== 'string') return []
    const shutsDownAt = typeof shutdown_date === 'string' ? Date.parse(shutdown_date) : Number.NaN
    return [{ name: id, shutsDownAt: Number.isNaN(shutsDownAt) ? null : shutsDownAt }]
  })
}

function readImage(item: unknown): ReplyImage | undefined {
  if (!isRecord(item)) return undefined
  const base64 = readText(item.b64_json)
  const url = readText(item.url)
  if (base64 === null && url === null) return undefined
  return { base64, url, revisedPrompt: readText(item.revised_prompt) }
}

/**
 * Each token is counted once. Without details all that went in counts as text, which the port asks for, and all that came
 * out as picture, which is what a stream's last event states by its one number.
 */
function readUsage(usage: unknown): ProviderUsage | null {
  if (!isRecord(usage)) return null
  const input = splitTokens(usage.input_tokens, usage.input_tokens_details, 'text')
  const output = splitTokens(usage.output_tokens, usage.output_tokens_details, 'image')
  return {
    inputTokens: input.text,
    imageInputTokens: input.image,
    outputTokens: output.text,
    imageOutputTokens: output.image,
    totalTokens: readCount(usage.total_tokens),
  }
}

function splitTokens(total: unknown, details: unknown, main: 'text' | 'image') {
  const sum = readCount(total)
  const told = readRecord(details)
  const other = main === 'text' ? 'image' : 'text'
  const counted = { text: readCount(told?.text_tokens), image: readCount(told?.image_tokens) }
  const otherCount = counted[other] ?? (sum === null ? null : Math.max(0, sum - (counted[main] ?? sum)))
  const mainCount = counted[main] ?? (sum === null ? null : Math.max(0, sum - (otherCount ?? 0)))
  return main === 'text' ? { text: mainCount, image: otherCount } : { text: otherCount, image: mainCount }
}

function readCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}
