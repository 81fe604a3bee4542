import { createOpenaiProvider } from '../../../src/providers/openai/openai-provider.ts'
import { createOpenaiWire } from '../../support/wire/openai.ts'
import { describeProviderContract } from '../provider-contract.ts'
import { connectionFailures, type Failure, failing } from './wire-failures.ts'
import { createProviderRequest, type RequestChanges, stageNobody, stageWire, wireDeps } from './wire-stage.ts'

const create = (origin: string) => createOpenaiProvider({ ...wireDeps(origin), baseUrl: `${origin}/v1`, apiKey: null })

/** The smallest area that there is. */
const SIZE = { width: 1024, height: 640 }

function scenesOf(changes: RequestChanges) {
  const request = (more: RequestChanges) =>
    createProviderRequest({
      modelName: 'gpt-image-2.6-flare',
      ...changes,
      ...more,
      parameters: { ...SIZE, outputFormat: 'PNG', ...changes.parameters },
    })
  const stage = (modes: readonly string[], count = 1) => {
    const asked = request({ count })
    const calls = asked.previews > 0 || asked.wire.oneByOne === true ? count : 1
    return () => stageWire({ vendor: createOpenaiWire, provider: create, request: asked, modes, calls })
  }
  const fails = failing((mode) => stage([mode]))
  return { stage, fails, request }
}

/** What is said before anything is made means the same however the answer would have come. */
function answeredFailures({ stage, fails, request }: ReturnType<typeof scenesOf>): readonly Failure[] {
  const providerRequestId = 'req_1'
  return [
    ...connectionFailures(
      (mode) => stage([mode]),
      () => stageNobody(create, request({})),
    ),
    fails('refused', 'REFUSED', 'ANSWERED', {
      providerCode: 'moderation_blocked',
      providerRequestId,
      providerBilled: null,
    }),
    fails('refused_input', 'REFUSED', 'ANSWERED', { providerRequestId, providerBilled: false }),
    fails('refused_policy', 'REFUSED', 'ANSWERED', {
      providerCode: 'content_policy_violation',
      providerRequestId,
      providerBilled: null,
    }),
    fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED', { providerCode: 'invalid_api_key', providerRequestId }),
    fails('forbidden', 'UNAUTHORIZED', 'NOT_ACCEPTED', { providerRequestId, providerBilled: false }),
    fails('retired', 'MODEL_RETIRED', 'ANSWERED', {
      providerCode: 'model_not_found',
      providerRequestId,
      providerBilled: false,
    }),
    fails('retired_400', 'MODEL_RETIRED', 'ANSWERED', { providerCode: 'model_not_found', providerBilled: false }),
    fails('retired_value', 'MODEL_RETIRED', 'ANSWERED', { providerCode: 'invalid_value', providerBilled: false }),
    fails('rate_limited', 'RATE_LIMITED', 'NOT_ACCEPTED', { providerCode: 'rate_limit_exceeded', providerRequestId }),
    fails('rate_limited retry-after=2', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 2000, providerBilled: false }),
    fails('rate_limited retry-after=2 retry-after-ms=1500', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 1500 }),
    fails('quota', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', {
      providerCode: 'insufficient_quota',
      providerRequestId,
      providerBilled: false,
    }),
    fails('billing_limit', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', {
      providerCode: 'billing_hard_limit_reached',
      providerBilled: false,
    }),
    fails('invalid', 'INVALID_REQUEST', 'ANSWERED', {
      providerCode: 'invalid_value',
      providerRequestId,
      providerBilled: false,
    }),
    fails('bare', 'INVALID_REQUEST', 'ANSWERED', { providerRequestId, providerBilled: false }),
    fails('server_error', 'UNAVAILABLE', 'ANSWERED', {
      providerCode: 'server_error',
      providerRequestId,
      providerBilled: null,
    }),
    fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED', { providerRequestId, providerBilled: false }),
    fails('no_bytes', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
  ]
}

const whole = scenesOf({})

describeProviderContract('OpenAI', {
  complete: async () => ({
    ...(await whole.stage(['ok'], 3)()),
    expected: { mimeType: 'image/png', ...SIZE },
  }),
  fewer: async () => ({ ...(await whole.stage(['ok fewer=1'], 3)()), made: [0, 1] }),
  silence: whole.stage(['ok held=answer']),
  failures: [
    ...answeredFailures(whole),
    whole.fails('truncate at=200', 'UNAVAILABLE', 'UNKNOWN', { providerRequestId: 'req_1', providerBilled: null }),
    whole.fails('no_images', 'BAD_OUTPUT', 'ANSWERED', { providerRequestId: 'req_1', providerBilled: null }),
    whole.fails('expired', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
    whole.fails('private_url', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
  ],
})

const streamed = scenesOf({ previews: 2 })

describeProviderContract('OpenAI with previews', {
  complete: async () => ({
    ...(await streamed.stage(['ok', 'ok early_final', 'ok partials=1'], 3)()),
    expected: { mimeType: 'image/png', ...SIZE },
  }),
  fewer: async () => ({ ...(await streamed.stage(['ok', 'sse_refused', 'ok'], 3)()), made: [0, 2] }),
  silence: streamed.stage(['stall']),
  failures: [
    ...answeredFailures(streamed).filter(({ title }) => title !== 'truncate'),
    ...['truncate after=1', 'truncate after=3', 'truncate after=4', 'cut'].map((mode) =>
      streamed.fails(mode, 'UNAVAILABLE', 'UNKNOWN', { providerRequestId: 'req_1', providerBilled: null }),
    ),
    streamed.fails('sse_error', 'UNAVAILABLE', 'ANSWERED', {
      providerCode: 'server_error',
      providerRequestId: 'req_1',
      providerBilled: null,
    }),
    streamed.fails('sse_refused', 'REFUSED', 'ANSWERED', {
      providerCode: 'moderation_blocked',
      providerRequestId: 'req_1',
      providerBilled: null,
    }),
    streamed.fails('sse_garbage', 'BAD_OUTPUT', 'ANSWERED', { providerRequestId: 'req_1', providerBilled: null }),
  ],
})
