import { findGoogleProblem, GOOGLE_WIRE_MODELS, type GoogleModel } from './google-fields.ts'
import { breakIfAsked } from './picture-host.ts'
import { makePicture } from './pictures.ts'
import type { WireMode } from './wire-mode.ts'
import type { WireReply } from './wire-reply.ts'
import type { WireRequest, WireSetting, WireVendor } from './wire-server.ts'

/**
 * generativelanguage.googleapis.com as Google's SDK 3.1.0 states it: a thought, words and a picture. Modes
 * beside those of every vendor: `refused` (`reason=SAFETY`: blockReason), `refused_output` (`reason=IMAGE_SAFETY`:
 * finishReason, a thought's picture beside it), `text_only`, `ended reason=MAX_TOKENS`, `nothing` (neither candidate
 * nor feedback), `parts` (an answer to be continued), `untold` (no usage), `lumped` (usage without modalities),
 * `broken` (half a picture), `unauthorized`, `forbidden`, `precondition`, `retired`, `invalid`, `rate_limited
 * retry=12s`, `quota` (of the day), `quota_zero`, `prepaid`, `canceled`, `server_error`, `unavailable`, `deadline`.
 */
export function createGoogleWire(_setting: WireSetting): WireVendor {
  let made = 0
  return {
    isBillable: ({ method, path }) => method === 'POST' && path.includes(':generateContent'),
    handle(request, mode) {
      const key = request.headers['x-goog-api-key']
      if (request.query.has('key')) return failure(400, 'INVALID_ARGUMENT', 'A key has no business in an address.')
      if (key === undefined || key === '') return failure(403, 'PERMISSION_DENIED', 'No identity was established.')
      const [, name] = /^\/v1beta\/models\/([^/:]+):generateContent$/.exec(request.path) ?? []
      if (request.method === 'POST' && name !== undefined) return generate(request, mode, name, made++)
      if (request.method === 'GET' && request.path === '/v1beta/models') return list(request)
      return { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>Not found</html>' }
    },
  }
}

async function generate(
  { headers, json }: WireRequest,
  mode: WireMode,
  name: string,
  index: number,
): Promise<WireReply> {
  const refusal = FAILURES[mode.name]
  if (refusal) return refusal(mode)
  const model = GOOGLE_WIRE_MODELS[name]
  if (!model) return notFound(name)
  if (headers['content-type'] !== 'application/json') return failure(400, 'INVALID_ARGUMENT', 'Expected JSON.')
  const problem = findGoogleProblem(json, model)
  if (problem) return failure(400, 'INVALID_ARGUMENT', problem)
  if (mode.name === 'nothing') return { body: { usageMetadata: { promptTokenCount: 5 }, responseId: 'r' } }
  if (mode.name === 'refused') return { body: blocked(mode.settings.reason ?? 'SAFETY') }
  return { body: await answer(json as GoogleBody, mode, name, model, index) }
}

type GoogleBody = {
  readonly contents: readonly [{ readonly parts: readonly { readonly inlineData?: object }[] }]
  readonly generationConfig: { readonly imageConfig?: { readonly aspectRatio?: string; readonly imageSize?: string } }
}

/** At 1K; those of 2.5 where they differ. */
const SIDES: Readonly<Record<string, readonly [number, number]>> = {
  '1:1': [1024, 1024],
  '2:3': [848, 1264],
  '3:2': [1264, 848],
  '3:4': [896, 1200],
  '4:3': [1200, 896],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
  '9:16': [768, 1376],
  '16:9': [1376, 768],
  '21:9': [1584, 672],
  '1:4': [512, 2048],
}
const OLD_SIDES: typeof SIDES = { ...SIDES, '16:9': [1344, 768], '9:16': [768, 1344] }

async function answer(body: GoogleBody, mode: WireMode, name: string, model: GoogleModel, index: number) {
  const { aspectRatio = '1:1', imageSize = model.tiers.includes('1K') ? '1K' : '' } =
    body.generationConfig.imageConfig ?? {}
  const [width = 1024, height = 1024] = (model.tiers.length === 0 ? OLD_SIDES : SIDES)[aspectRatio] ?? []
  const scale = { '512': 0.5, '2K': 2, '4K': 4 }[imageSize] ?? 1
  const format = model.mimeType === 'image/png' ? 'png' : 'jpeg'
  const bytes = await makePicture({ width: width * scale, height: height * scale, format, index })
  const sketch = await makePicture({ width: 64, height: 64, format: 'png', index: 9 })
  const picture = breakIfAsked(bytes, mode)
  const pictures = body.contents[0].parts.filter((part) => part.inlineData !== undefined).length
  return {
    candidates: [
      {
        content: { role: 'model', parts: [...thoughtOf(sketch), ...partsOf(mode, model.mimeType, picture)] },
        finishReason: mode.settings.reason ?? FINISHES[mode.name] ?? 'STOP',
        ...(mode.name === 'refused_output' && {
          finishMessage: 'See https://ai.google.dev/policy for what is not made.',
        }),
        ...(mode.name === 'parts' && { continuationToken: 'dG9rZW4=' }),
        index: 0,
        somethingNew: { nested: [null] },
      },
    ],
    ...usageOf(mode, pictures, model.tokens[imageSize] ?? 0),
    modelVersion: name,
    responseId: `resp_${index}`,
    modelStatus: { modelStage: 'STABLE' },
  }
}

const FINISHES: Readonly<Record<string, string>> = { refused_output: 'IMAGE_SAFETY', parts: 'CONTINUATION' }

function thoughtOf(sketch: Buffer) {
  return [
    { text: 'A fox, then. In snow.', thought: true },
    { inlineData: { mimeType: 'image/png', data: sketch.toString('base64') }, thought: true },
  ]
}

function partsOf(mode: WireMode, mimeType: string, picture: Buffer) {
  if (mode.name === 'text_only') return [{ text: 'I cannot paint that, but I can describe it.' }]
  if (mode.name === 'refused_output' || mode.name === 'ended' || mode.name === 'parts') return []
  const inlineData = { mimeType, data: picture.toString('base64') }
  return [{ text: 'Here it is.' }, { inlineData, thoughtSignature: 'c2lnbmF0dXJl' }]
}

/** Five tokens of text; 560 for each picture that goes in; 7 of words and 173 of thoughts. */
function usageOf({ name }: WireMode, pictures: number, tokens: number) {
  if (name === 'untold') return {}
  const prompt = 5 + 560 * pictures
  const counts = {
    promptTokenCount: prompt,
    candidatesTokenCount: tokens + 7,
    thoughtsTokenCount: 173,
    totalTokenCount: prompt + tokens + 180,
  }
  if (name === 'lumped') return { usageMetadata: counts }
  const promptTokensDetails = [
    { modality: 'TEXT', tokenCount: 5 },
    ...(pictures > 0 ? [{ modality: 'IMAGE', tokenCount: 560 * pictures }] : []),
  ]
  return {
    usageMetadata: {
      ...counts,
      promptTokensDetails,
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: tokens }],
      serviceTier: 'standard',
    },
  }
}

function blocked(blockReason: string) {
  return {
    promptFeedback: { blockReason, blockReasonMessage: 'The prompt was blocked.', safetyRatings: [] },
    usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 },
    modelVersion: 'gemini',
    responseId: 'resp_blocked',
  }
}

const FAILURES: Readonly<Record<string, (mode: WireMode) => WireReply>> = {
  unauthorized: () =>
    failure(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
      { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'en-US', message: 'API key not valid.' },
    ]),
  forbidden: () => failure(403, 'PERMISSION_DENIED', "Consumer 'api_key:sk-canary-7f3c9a51e2' has been suspended."),
  precondition: () => failure(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'),
  retired: () => notFound('gemini-gone'),
  invalid: () => failure(400, 'INVALID_ARGUMENT', 'The prompt is not to our taste.'),
  rate_limited: (mode) =>
    exhausted('Quota exceeded. See https://ai.google.dev/gemini-api/docs/rate-limits.', [
      quotaFailure('GenerateRequestsPerMinutePerProjectPerModel', '10'),
      ...(mode.settings.retry === undefined ? [] : [retryInfo(mode.settings.retry)]),
    ]),
  quota: () =>
    exhausted('You exceeded your current quota.', [
      quotaFailure('GenerateRequestsPerDayPerProjectPerModel', '100'),
      retryInfo('34.5s'),
    ]),
  quota_zero: () =>
    exhausted('You exceeded your current quota.', [
      quotaFailure('GenerateContentInputTokensPerModelPerMinute-FreeTier', '0'),
    ]),
  prepaid: () => exhausted('Your prepayment credits are depleted.', []),
  canceled: () => failure(499, 'CANCELLED', 'The operation was cancelled.'),
  server_error: () => failure(500, 'INTERNAL', 'An internal error has occurred.'),
  unavailable: () => failure(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
  deadline: () => failure(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'),
}

function failure(code: number, status: string, message: string, details?: readonly object[]): WireReply {
  return { status: code, body: { error: { code, message, status, ...(details && { details }), extra: true } } }
}

function notFound(name: string): WireReply {
  return failure(404, 'NOT_FOUND', `models/${name} is not found for API version v1beta.`)
}

function exhausted(message: string, details: readonly object[]): WireReply {
  return failure(429, 'RESOURCE_EXHAUSTED', message, details)
}

function quotaFailure(quotaId: string, quotaValue: string): object {
  const quotaMetric = 'generativelanguage.googleapis.com/generate_requests'
  return { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaMetric, quotaId, quotaValue }] }
}

function retryInfo(retryDelay: string): object {
  return { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }
}

/** Two pages, whatever their size. */
function list({ query }: WireRequest): WireReply {
  const token = query.get('pageToken')
  if (token !== null && token !== 'page2') return failure(400, 'INVALID_ARGUMENT', 'Invalid page token.')
  const names = token === null ? ['gemini-3.1-pro', 'gemini-3-pro-image'] : ['gemini-nano-banana-2.1', 'text-embedding']
  const models = names.map((name) => ({
    name: `models/${name}`,
    displayName: name,
    supportedGenerationMethods: ['generateContent'],
  }))
  return { body: { models, ...(token === null && { nextPageToken: 'page2' }) } }
}
