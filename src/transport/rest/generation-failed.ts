import { AppError } from '../../errors.ts'
import type { Generation, Problem, ProblemCode } from '../../generation/generation-types.ts'
import { pathOf } from './generation-view.ts'
import { describeProblem } from './problem-view.ts'
import type { RestFailure } from './rest-failure.ts'

/** It has ended without a picture. */
export class GenerationFailedError extends AppError {
  override readonly name = 'GenerationFailedError'
  readonly code = 'GENERATION_FAILED'
  readonly generation: Generation
  constructor(generation: Generation) {
    super(generation.error?.message ?? 'The generation was canceled.')
    this.generation = generation
  }
}

/** 400 where another request would do, 409 where somebody ended it, 5xx where it is nobody's here. */
const STATUS: Readonly<Record<ProblemCode, number>> = {
  REFUSED: 400,
  INVALID_REQUEST: 400,
  MODEL_RETIRED: 400,
  CANCELED: 409,
  RATE_LIMITED: 503,
  UNAVAILABLE: 503,
  QUOTA_EXHAUSTED: 503,
  UNAUTHORIZED: 502,
  UNKNOWN_OUTCOME: 502,
  BAD_OUTPUT: 502,
  TOO_FEW_IMAGES: 502,
  TIMEOUT: 504,
  DEADLINE_EXCEEDED: 504,
  INTERNAL: 500,
}

/** The official words for a refusal, which callers look for; ours for all else. */
const REFUSAL = { type: 'image_generation_user_error', code: 'moderation_blocked' }

export function describeFailedGeneration({ generation, message }: GenerationFailedError): RestFailure {
  const { id, error, problems } = generation
  const problem = error?.code ?? 'CANCELED'
  const isOwnKey = problem === 'UNAUTHORIZED' && generation.keySource !== 'SERVER'
  const status = isOwnKey ? 400 : STATUS[problem]
  const type = status >= 500 ? 'server_error' : 'invalid_request_error'
  const words = problem === 'REFUSED' ? REFUSAL : { type, code: problem.toLowerCase() }
  const param = paramOfProblem(problem, isOwnKey)
  const about = error === null ? {} : withoutMessage(error)
  const told = { generation_id: id, ...about, problems: problems.map(describeProblem) }
  return { status, headers: { location: pathOf(id) }, body: { error: { message, param, ...told, ...words } } }
}

function paramOfProblem(problem: ProblemCode, isOwnKey: boolean): string | null {
  if (isOwnKey) return 'byok_api_key'
  if (problem === 'REFUSED') return 'prompt'
  return problem === 'MODEL_RETIRED' ? 'model' : null
}

function withoutMessage(problem: Problem): object {
  const { message: _message, code: _code, ...rest } = describeProblem(problem)
  return rest
}
