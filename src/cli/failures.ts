import { ConfigError } from '../config.ts'
import { InvalidInputError, NotFoundError } from '../errors.ts'
import { CommandError, type FailureCode, SilentExit } from './command-error.ts'
import type { Output } from './output.ts'

/** Prints what went wrong, in plain words where it can be mended and with its stack where it is a bug; returns the exit code. */
export function reportFailure(error: unknown, output: Output, options: { readonly json: boolean }): FailureCode {
  if (error instanceof SilentExit) return error.exitCode
  const failure = toCommandError(error)
  output.status('')
  output.note(`${output.noteStyle('red', 'error')}: ${failure.message}`)
  if (options.json) {
    const { message = failure.message } = failure.details
    output.json({ error: { ...failure.details, message } })
  }
  return failure.exitCode
}

/** What can be mended from outside becomes a CommandError; a bug keeps its stack. */
export function toCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error
  if (error instanceof ConfigError) {
    const lines = error.faults.map((fault) => `  ${fault}`)
    return new CommandError(2, ['The configuration has faults:', ...lines].join('\n'), { faults: error.faults })
  }
  if (error instanceof InvalidInputError) {
    return new CommandError(2, formatFields('That cannot be.', error.fields), {
      code: error.code,
      fields: error.fields,
    })
  }
  if (error instanceof NotFoundError) return new CommandError(2, error.message, { code: error.code })
  if (!(error instanceof Error)) return new CommandError(1, String(error))
  return new CommandError(1, isExpected(error) ? error.message : (error.stack ?? error.message), {}, error)
}

export type FieldFault = { readonly path: string; readonly message: string; readonly allowed: readonly string[] }

/** One line for each field, with what would do. */
export function formatFields(message: string, fields: readonly FieldFault[]): string {
  const lines = fields.map(({ path, message: fault, allowed }) => {
    const hint = allowed.length === 0 ? '' : ` Allowed: ${allowed.join(', ')}.`
    return `  ${path}: ${fault}${hint}`
  })
  return [message, ...lines].join('\n')
}

/**
 * Errors of ours that were thrown to be read, and those of the operating system. The names that the language gives its
 * own errors stand for bugs.
 */
function isExpected(error: Error): boolean {
  if ('syscall' in error) return true
  return !['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'AssertionError'].includes(error.name)
}
