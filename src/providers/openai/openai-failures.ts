import type { APIError } from 'openai'
import { ProviderError, type ProviderErrorKind } from '../provider-error.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { isRecord, type JsonRecord, readRecord, readText } from '../wire/json-values.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import { toTransportFailure } from '../wire/transport-failure.ts'
import type { OpenaiSdk } from './openai-client.ts'

export const VENDOR = 'OpenAI'

/** What was thrown on the way to an answer. `requestId`: of an answer that had begun. */
export function toOpenaiFailure(
  error: unknown,
  at: { sdk: OpenaiSdk; requestId: string | null; now: number },
): ProviderError {
  if (error instanceof ProviderError) return error
  // Of the SDK's JSON.parse, for whole answers and for events.
  if (error instanceof SyntaxError) return createMisunderstanding(VENDOR, at.requestId)
  if (!isAnswer(error, at.sdk)) return toTransportFailure(error, VENDOR, at.requestId)
  return error.status === undefined ? toEventFailure(error, at) : toAnswerFailure(error, error.status, at.now)
}

/** A stream that ended, as far as HTTP knows, and had not brought its picture. */
export function createBrokenStream(requestId: string | null): ProviderError {
  return toTransportFailure(new Error('The stream ended early.'), VENDOR, requestId)
}

/** An answer with a status, or an error that was said within a stream, and no trouble of the connection. */
function isAnswer(error: unknown, sdk: OpenaiSdk): error is APIError {
  const isOfConnection = error instanceof sdk.APIConnectionError || error instanceof sdk.APIUserAbortError
  return error instanceof sdk.APIError && !isOfConnection
}

function toAnswerFailure(error: APIError, status: number, now: number): ProviderError {
  const said = readError(error)
  const kind = kindOf(said, status)
  return toStatusFailure(VENDOR, {
    status,
    headers: error.headers ?? new Headers(),
    code: said.code,
    // What is said of a key quotes a part of it.
    message: status === 401 ? null : said.message,
    requestId: error.requestID ?? null,
    now,
    ...(kind && { kind }),
    // It has been turned away at the door, whatever the status.
    ...((kind === 'QUOTA_EXHAUSTED' || kind === 'RATE_LIMITED') && { delivery: 'NOT_ACCEPTED' }),
    ...(kind === 'REFUSED' && { providerBilled: billedOf(said) }),
  })
}

/** The vendor had taken it, and this is its last word; whether it bills what it had begun is not said. */
function toEventFailure(error: APIError, at: { requestId: string | null; now: number }): ProviderError {
  const said = readError(error)
  return toStatusFailure(VENDOR, {
    status: 500,
    headers: new Headers(),
    code: said.code,
    message: said.message,
    requestId: error.requestID ?? at.requestId,
    now: at.now,
    kind: kindOf(said, null) ?? 'UNAVAILABLE',
    delivery: 'ANSWERED',
    providerBilled: billedOf(said),
  })
}

type Said = {
  readonly code: string | null
  readonly type: string | null
  readonly param: string | null
  readonly message: string | null
  readonly moderation: JsonRecord | null
}

const REFUSALS = ['moderation_blocked', 'content_policy_violation']
/** `billing_hard_limit_reached` comes with 400 (from memory, unverified). */
const SPENT = ['insufficient_quota', 'billing_hard_limit_reached']

function kindOf({ code, type, param, moderation }: Said, status: number | null): ProviderErrorKind | undefined {
  if (moderation !== null || REFUSALS.includes(code ?? '')) return 'REFUSED'
  if (SPENT.includes(code ?? '') || SPENT.includes(type ?? '')) return 'QUOTA_EXHAUSTED'
  if (code === 'model_not_found') return 'MODEL_RETIRED'
  // Some reports have 400 for a model that is gone (unverified): then it is the value of `model` that it complains of.
  if (param === 'model' && (status === 400 || status === 404)) return 'MODEL_RETIRED'
  if (code === 'rate_limit_exceeded') return 'RATE_LIMITED'
  return undefined
}

/** Nothing was made where the prompt was declined. Whether a picture that was declined is billed is said nowhere. */
function billedOf({ moderation }: Said): false | null {
  return moderation?.moderation_stage === 'input' ? false : null
}

/** `{message, type, param, code}`; a gateway in between may send anything. */
function readError({ error }: APIError): Said {
  const said: JsonRecord = isRecord(error) ? error : { message: error }
  const type = readText(said.type)
  return {
    code: readText(said.code) ?? type,
    type,
    param: readText(said.param),
    message: readText(said.message),
    moderation: readRecord(said.moderation_details),
  }
}
