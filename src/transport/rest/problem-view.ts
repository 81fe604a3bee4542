import type { Problem, Warning } from '../../generation/generation-types.ts'
import { inCallersWords, paramOf } from './param-names.ts'

/** What went wrong, in the names of this door. */
export function describeProblem(problem: Problem) {
  return {
    code: problem.code.toLowerCase(),
    message: problem.message,
    stage: problem.stage.toLowerCase(),
    retryable: problem.retryable,
    billed: problem.billed,
    provider_billed: problem.providerBilled,
    image_index: problem.imageIndex,
    provider_code: problem.providerCode,
    provider_request_id: problem.providerRequestId,
  }
}

export function describeWarning({ code, field, requested, used, message }: Warning) {
  const param = field === null ? null : paramOf(field, 'image')
  return { code: code.toLowerCase(), param, requested, used, message: inCallersWords(message, 'image') }
}
