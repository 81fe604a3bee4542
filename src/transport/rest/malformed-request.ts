import { AppError } from '../../errors.ts'

export type FieldFault = {
  /** As the caller wrote it. */
  readonly param: string
  readonly message: string
  readonly code: 'unknown_parameter' | 'missing_required_parameter' | 'invalid_type' | 'invalid_value'
  /** Values that would do; empty where they cannot be listed. */
  readonly allowed: readonly string[]
}

/** 400: what came cannot be read as this call's fields. Every fault at once. */
export class MalformedRequestError extends AppError {
  override readonly name = 'MalformedRequestError'
  readonly code = 'MALFORMED_REQUEST'
  readonly faults: readonly FieldFault[]
  constructor(faults: readonly FieldFault[]) {
    super(faults.map(({ param, message }) => `${param}: ${message}`).join(' '))
    this.faults = faults
  }
}

/** The body or the address as a whole is at fault. */
export class UnreadableRequestError extends AppError {
  override readonly name = 'UnreadableRequestError'
  readonly code = 'INVALID_REQUEST'
}
