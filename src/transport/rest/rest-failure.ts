import type { CallFailure } from '../call-failures.ts'

/** The official shape, and beside it what a program can act on. */
export type ErrorBody = {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string
    readonly [more: string]: unknown
  }
}

export type RestFailure = Pick<CallFailure, 'status' | 'headers'> & { readonly body: ErrorBody }
