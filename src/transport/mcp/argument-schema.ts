import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import type { z } from 'zod'

/**
 * Shows a schema to clients and lets everything through: the tool reads its arguments itself, so that a wrong one is told
 * in the same shape as whatever else is refused.
 */
export function openSchema(schema: z.ZodObject): StandardSchemaWithJSON<unknown, unknown> {
  const { version, vendor, jsonSchema } = schema['~standard']
  return { '~standard': { version, vendor, jsonSchema, validate: (value) => ({ value }) } }
}
