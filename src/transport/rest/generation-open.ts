import { AppError } from '../../errors.ts'
import type { HoldEnd } from '../call.ts'
import { pathOf } from './generation-view.ts'
import type { RestFailure } from './rest-failure.ts'

type Ending = Exclude<HoldEnd, 'CLIENT'>

const WORDS: Readonly<Record<Ending, { status: number; type: string; code: string; why: string }>> = {
  LIMIT: {
    status: 504,
    type: 'server_error',
    code: 'still_running',
    why: 'It has not ended in the time that a call waits.',
  },
  DRAIN: { status: 503, type: 'server_error', code: 'server_stopping', why: 'The server stops and lets no call wait.' },
  CREDENTIALS: {
    status: 401,
    type: 'authentication_error',
    code: 'invalid_api_key',
    why: 'The key or token has ended.',
  },
}

/** Nobody waits for it any more, and it goes on. */
export class GenerationOpenError extends AppError {
  override readonly name = 'GenerationOpenError'
  readonly code = 'GENERATION_OPEN'
  readonly endedBy: Ending
  readonly failure: RestFailure
  constructor(generationId: string, endedBy: Ending) {
    const { status, type, code, why } = WORDS[endedBy]
    const location = pathOf(generationId)
    super(`${why} The generation goes on: GET ${location}`)
    this.endedBy = endedBy
    const error = { message: this.message, type, param: null, code, generation_id: generationId }
    this.failure = { status, headers: { location }, body: { error } }
  }
}
