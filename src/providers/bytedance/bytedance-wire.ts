import type { ProviderUsage } from '../provider.ts'
import {
  isRecord,
  type JsonRecord,
  parseJson,
  readNumber,
  readRecord,
  readRecords,
  readText,
} from '../wire/json-values.ts'

/** What ModelArk sends, as far as it is read here. Source: BytePlus' Python SDK (2026-07-23). */

/** A link lives for 24 hours. */
export type ArkPicture = { readonly url: string } | { readonly base64: string }
export type ArkError = { readonly code: string | null; readonly message: string | null }

/** Failures of single pictures stand among the pictures, with status 200. */
export type ArkAnswer = {
  readonly picture: ArkPicture | null
  readonly error: ArkError | null
  readonly usage: ProviderUsage | null
}

export type ArkEvent =
  | { readonly type: 'PREVIEW'; readonly base64: string }
  | { readonly type: 'PICTURE'; readonly picture: ArkPicture }
  | { readonly type: 'FAILED'; readonly error: ArkError }
  | { readonly type: 'COMPLETED'; readonly error: ArkError | null; readonly usage: ProviderUsage | null }

/** undefined: it is no such answer. */
export function readAnswer(json: unknown): ArkAnswer | undefined {
  if (!isRecord(json)) return undefined
  const items = readRecords(json.data)
  const [picture = null] = items.flatMap((item) => readPicture(item) ?? [])
  const [error = readError(json.error)] = items.flatMap((item) => readError(item.error) ?? [])
  if (picture === null && error === null) return undefined
  return { picture, error, usage: readUsage(json.usage) }
}

/** null: one that says nothing here, `[DONE]` among them. */
export function readEvent(data: string): ArkEvent | null {
  const json = readRecord(parseJson(data))
  if (json === null) return null
  switch (json.type) {
    case 'image_generation.partial_image': {
      const base64 = readText(json.b64_json)
      return base64 === null ? null : { type: 'PREVIEW', base64 }
    }
    case 'image_generation.partial_succeeded': {
      const picture = readPicture(json)
      return picture && { type: 'PICTURE', picture }
    }
    case 'image_generation.partial_failed':
      return { type: 'FAILED', error: readError(json.error) ?? { code: null, message: null } }
    case 'image_generation.completed':
      return { type: 'COMPLETED', error: readError(json.error), usage: readUsage(json.usage) }
    default: {
      const error = readError(json.error)
      return error && { type: 'FAILED', error }
    }
  }
}

export function readError(error: unknown): ArkError | null {
  if (!isRecord(error)) return null
  const [code, message] = [readText(error.code), readText(error.message)]
  return code === null && message === null ? null : { code, message }
}

function readPicture(item: JsonRecord): ArkPicture | null {
  const [url, base64] = [readText(item.url), readText(item.b64_json)]
  if (url !== null) return { url }
  return base64 === null ? null : { base64 }
}

/** The tokens are those of the pictures; prices go by `generated_images`, which is the number of them. */
function readUsage(value: unknown): ProviderUsage | null {
  const usage = readRecord(value)
  if (usage === null) return null
  return {
    inputTokens: null,
    imageInputTokens: null,
    outputTokens: null,
    imageOutputTokens: readNumber(usage.output_tokens),
    totalTokens: readNumber(usage.total_tokens),
  }
}
