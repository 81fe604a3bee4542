import type { ProviderUsage } from '../provider.ts'
import type { EngineRejection } from '../wire/engine-http.ts'
import { isRecord, readDetail, readList, readNumber, readRecord, readRecords, readText } from '../wire/json-values.ts'

/** What servers that speak OpenAI's images API answer, as far as it is read here. */

/** One of `base64` and `url` is there. */
export type MadeImage = {
  readonly base64: string | null
  readonly url: string | null
  readonly revisedPrompt: string | null
}

export type MadeImages = { readonly images: readonly MadeImage[]; readonly usage: ProviderUsage | null }

/** undefined: it is no answer of such a server. */
export function readMade(json: unknown): MadeImages | undefined {
  if (!isRecord(json)) return undefined
  const images = readList(json.data)
    .map(readRecord)
    .map((each) => ({
      base64: readText(each?.b64_json),
      url: readText(each?.url),
      revisedPrompt: readText(each?.revised_prompt),
    }))
  return images.length === 0 ? undefined : { images, usage: readUsage(json.usage) }
}

/** Engines that count no tokens say zero for all of them. */
function readUsage(usage: unknown): ProviderUsage | null {
  if (!isRecord(usage)) return null
  const details = readRecord(usage.input_tokens_details)
  const totalTokens = readNumber(usage.total_tokens)
  if (totalTokens === null || totalTokens === 0) return null
  return {
    inputTokens: readNumber(details?.text_tokens) ?? readNumber(usage.input_tokens),
    imageInputTokens: readNumber(details?.image_tokens),
    outputTokens: null,
    imageOutputTokens: readNumber(usage.output_tokens),
    totalTokens,
  }
}

/** `{error: "text"}`, `{error: "code", message}`, `{error: {code, message, type}}`, or FastAPI's `{detail}`. */
export function readRejection(json: unknown): EngineRejection {
  if (!isRecord(json)) return { code: null, words: null }
  const { error } = json
  if (isRecord(error)) return { code: readText(error.code) ?? readText(error.type), words: readText(error.message) }
  const [text, message] = [readText(error), readText(json.message)]
  return message === null ? { code: null, words: text ?? readDetail(json) } : { code: text, words: message }
}

export function readModelNames(json: unknown): readonly string[] | undefined {
  if (!isRecord(json) || !Array.isArray(json.data)) return undefined
  return readRecords(json.data).flatMap(({ id }) => readText(id) ?? [])
}
