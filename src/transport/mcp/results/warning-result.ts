import { z } from 'zod'
import type { Warning } from '../../../generation/generation-types.ts'
import { toArgumentPath } from '../argument-names.ts'

export const WarningSchema = z
  .object({
    code: z
      .string()
      .describe('ADJUSTED, IGNORED, DEPRECATED_MODEL, UNKNOWN_PRICE, FALLBACK_USED, MODEL_REPLACED or other.'),
    field: z.string().nullable().describe('The argument that it concerns.'),
    requested: z.string().nullable().describe('What was asked for.'),
    used: z.string().nullable().describe('What is used in its place; null: nothing.'),
    message: z.string().describe('For people.'),
  })
  .meta({ id: 'Warning' })

export function toWarningResult({ code, field, requested, used, message }: Warning): z.output<typeof WarningSchema> {
  return { code, field: field === null ? null : toArgumentPath(field), requested, used, message }
}
