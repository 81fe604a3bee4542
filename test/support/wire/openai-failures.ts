import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'

export type Failure = {
  readonly status: number
  readonly message: string
  readonly type?: string
  readonly code?: string | null
  readonly param?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** Of the newer structure of refusals. */
  readonly moderation_details?: object
  /** `{error: "text"}`, as some engines behind the same paths answer. */
  readonly isBare?: boolean
}

/** `{error: {message, type, param, code}}`. */
export function answerFailure({ status, headers = {}, isBare = false, ...error }: Failure): WireReply {
  if (isBare) return { status, headers, body: { error: error.message } }
  return { status, headers, body: { error: { type: 'invalid_request_error', param: null, code: null, ...error } } }
}

/**
 * `refused` (moderation_blocked), `refused_input` (with moderation_details), `refused_policy` (DALL·E), `unauthorized`
 * (quotes a part of the key and, as no vendor should, all of it), `forbidden`, `retired`, `retired_400`, `retired_value`,
 * `rate_limited retry-after=2 retry-after-ms=1500`, `quota`, `billing_limit`, `invalid`, `server_error`, `unavailable`,
 * `bare` (`{error: "text"}`).
 */
export function failureOf(mode: WireMode, key: string): Failure | undefined {
  return FAILURES[mode.name]?.(mode, key)
}

const moderated = {
  status: 400,
  type: 'image_generation_user_error',
  code: 'moderation_blocked',
  message:
    'Your request was rejected by the safety system. If you believe this is an error, contact us and include the request ID. safety_violations=[sexual].',
}
const noModel = { code: 'model_not_found', message: 'The model does not exist or you do not have access to it.' }

const FAILURES: Readonly<Record<string, (mode: WireMode, key: string) => Failure>> = {
  refused: () => moderated,
  refused_input: () => ({
    ...moderated,
    code: null,
    moderation_details: { categories: ['sexual'], moderation_stage: 'input' },
  }),
  refused_policy: () => ({
    status: 400,
    code: 'content_policy_violation',
    message: 'Your request was rejected as a result of our safety system.',
  }),
  unauthorized: (_, key) => ({
    status: 401,
    code: 'invalid_api_key',
    message: `Incorrect API key provided: ${key}. You can find your API key at https://platform.openai.com.`,
  }),
  forbidden: () => ({ status: 403, message: 'Your organization must be verified to use this model.' }),
  retired: () => ({ status: 404, ...noModel }),
  retired_400: () => ({ status: 400, ...noModel }),
  retired_value: () => ({ status: 400, code: 'invalid_value', param: 'model', message: 'Invalid value for model.' }),
  rate_limited: ({ settings }) => ({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message: 'Rate limit reached for images per minute.',
    headers: Object.fromEntries(
      ['retry-after', 'retry-after-ms'].flatMap((name) => (settings[name] ? [[name, settings[name]]] : [])),
    ),
  }),
  quota: () => ({
    status: 429,
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  }),
  billing_limit: () => ({
    status: 400,
    code: 'billing_hard_limit_reached',
    message: 'Billing hard limit has been reached.',
  }),
  invalid: () => ({ status: 400, code: 'invalid_value', param: 'prompt', message: 'The prompt is not to our taste.' }),
  server_error: () => ({
    status: 500,
    type: 'server_error',
    code: 'server_error',
    message: 'The server had an error while processing your request.',
  }),
  bare: () => ({ status: 400, message: 'no such size', isBare: true }),
  unavailable: () => ({ status: 503, type: 'server_error', message: 'The engine is currently overloaded.' }),
}
