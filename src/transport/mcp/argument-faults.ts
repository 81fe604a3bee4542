import type { z } from 'zod'
import { type FieldProblem, InvalidInputError } from '../../errors.ts'

/** Arguments as the tool's schema has them. InvalidInput that names every argument at fault, unknown ones too. */
export function readArguments<Schema extends z.ZodObject>(schema: Schema, args: unknown): z.output<Schema> {
  const read = schema.safeParse(args ?? {})
  if (read.success) return read.data
  throw new InvalidInputError(read.error.issues.flatMap((issue) => describeIssue(issue, Object.keys(schema.shape))))
}

function describeIssue(issue: z.core.$ZodIssue, known: readonly string[]): readonly FieldProblem[] {
  const path = issue.path.map(String).join('.')
  if (issue.code !== 'unrecognized_keys')
    return [{ path: path || 'arguments', message: `${issue.message}.`, allowed: [] }]
  const allowed = path === '' ? known : []
  return issue.keys.map((key) => ({
    path: path === '' ? key : `${path}.${key}`,
    message: 'There is no such argument.',
    allowed,
  }))
}
