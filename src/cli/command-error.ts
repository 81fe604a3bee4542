/** 1: it did not work out. 2: what was asked for cannot be. */
export type FailureCode = 1 | 2

/** Ends a command: `message` goes to standard error, and `details` into the JSON document where one was asked for. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: FailureCode
  readonly details: Readonly<Record<string, unknown>>
  constructor(
    exitCode: FailureCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, { cause })
    this.exitCode = exitCode
    this.details = details
  }
}

/** A command that has said all there is to say: nothing more is printed. */
export class SilentExit extends Error {
  override readonly name = 'SilentExit'
  readonly exitCode: FailureCode
  constructor(exitCode: FailureCode) {
    super(`Ends with ${exitCode}.`)
    this.exitCode = exitCode
  }
}
