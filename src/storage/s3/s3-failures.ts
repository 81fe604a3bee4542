import { RequestError } from '../../errors.ts'

/** The store is away, overloaded, or has not kept what it was given: the same may work in a moment. */
export class StorageUnavailableError extends RequestError {
  constructor(cause: unknown) {
    super('UNAVAILABLE', 'The storage of pictures does not answer as it should. Try again in a moment.')
    this.cause = cause
  }
}

/** The store refuses what it is asked for, and will again until somebody mends the configuration. Its text is for operators. */
export class StorageRefusedError extends Error {
  override readonly name = 'StorageRefusedError'
}

const PASSING_CODES = [
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
]
const PASSING_NAMES = ['RequestTimeout', 'SlowDown', 'TimeoutError']
const ABSENT_NAMES = ['NoSuchKey', 'NotFound']

/** Resolves with undefined where the store has no such object. Rejects as `translate` says. */
export async function orAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  return result.catch((error: unknown) => {
    if (isNamed(error, ABSENT_NAMES)) return undefined
    throw translate(error)
  })
}

export async function translated<T>(result: Promise<T>): Promise<T> {
  return result.catch((error: unknown) => {
    throw translate(error)
  })
}

/** Of whatever the SDK or the connection threw. The error itself stays inside: it may hold the signed request. */
export function translate(error: unknown): Error {
  if (error instanceof StorageUnavailableError || error instanceof StorageRefusedError) return error
  if (!(error instanceof Error)) return new StorageRefusedError(String(error))
  const status = statusOf(error)
  const told = status === undefined ? error.message : `${error.name}, status ${status}: ${error.message}`
  if (isPassing(error, status)) return new StorageUnavailableError(new Error(`The store failed: ${told}`))
  return new StorageRefusedError(`The store refused: ${told}`)
}

export function isNamed(error: unknown, names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name)
}

function isPassing(error: Error, status: number | undefined): boolean {
  if (isNamed(error, PASSING_NAMES)) return true
  if (status !== undefined && status >= 300) return status >= 500 ? status !== 501 : status === 408 || status === 429
  return 'code' in error && PASSING_CODES.includes(String(error.code))
}

function statusOf(error: Error): number | undefined {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) return undefined
  const status = 'httpStatusCode' in error.$metadata ? error.$metadata.httpStatusCode : undefined
  return typeof status === 'number' ? status : undefined
}
