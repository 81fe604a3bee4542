import type { ProviderError } from '../providers/provider-error.ts'
import { isPassing } from '../queue/retry-policy.ts'
import type { Problem, ProblemCode, ProblemStage } from './generation-types.ts'

/** A failure as clients read it. Only images that were made are billed to the account, so a problem never is. */
export function createProblem(
  details: { code: ProblemCode; message: string; stage: ProblemStage } & Partial<Problem>,
): Problem {
  return {
    retryable: false,
    billed: false,
    providerBilled: false,
    imageIndex: null,
    providerCode: null,
    providerRequestId: null,
    ...details,
  }
}

export function toProblem(error: ProviderError, imageIndex: number | null = null): Problem {
  const unknown = error.delivery === 'UNKNOWN'
  return createProblem({
    code: unknown ? 'UNKNOWN_OUTCOME' : error.kind,
    message: error.message,
    stage: error.kind === 'BAD_OUTPUT' ? 'OUTPUT' : 'PROVIDER',
    retryable: unknown || isPassing(error.kind) || error.kind === 'BAD_OUTPUT',
    providerBilled: error.providerBilled,
    imageIndex,
    providerCode: error.providerCode,
    providerRequestId: error.providerRequestId,
  })
}

/** An attempt was cut off after sending, and the vendor has no way of being asked. */
export function unknownOutcome(next: 'sent-again' | 'not-sent-again'): Problem {
  const then = next === 'sent-again' ? 'it was sent once more' : 'it was not sent again'
  return createProblem({
    code: 'UNKNOWN_OUTCOME',
    message:
      'The connection to the provider was lost after the request was sent. Nobody can tell whether it was carried out; ' +
      `${then}, and nothing was charged for it.`,
    stage: 'PROVIDER',
    retryable: true,
    providerBilled: null,
  })
}

/** It had not ended when the database was copied, and this is the copy. */
export function restored(copiedAt: number | null): Problem {
  const of = copiedAt === null ? '' : ` of ${new Date(copiedAt).toISOString()}`
  return createProblem({
    code: 'UNKNOWN_OUTCOME',
    message:
      `The server was restored from a backup${of}, in which this had not ended. What a provider made of it since is not ` +
      'known; it was not sent again, and nothing is charged for what is missing.',
    stage: 'QUEUE',
    retryable: true,
    providerBilled: null,
  })
}

export function overdue(sent: boolean): Problem {
  return createProblem({
    code: 'DEADLINE_EXCEEDED',
    message: 'It was not finished within its `deadlineSeconds`.',
    stage: sent ? 'PROVIDER' : 'QUEUE',
    retryable: true,
    providerBilled: sent ? null : false,
  })
}
