import { z } from 'zod'
import type { FieldProblem } from '../errors.ts'
import type { Model } from '../providers/model.ts'
import { isPlainObject } from './json-limits.ts'
import { joinChoices, type PlanFindings, quote } from './plan-findings.ts'

type Options = Readonly<Record<string, unknown>>
type Schema = Options

/**
 * Options that pass the model's JSON Schema, as a copy; null: none. Objects of the schema that do not say otherwise take
 * no other keys, so that nothing reaches a vendor that was not declared: no count, address or user of the caller's.
 * `options` have passed the limits that hold for every model.
 */
export function planProviderOptions(model: Model, options: unknown, findings: PlanFindings): Options | null {
  if (!isPlainObject(options) || Object.keys(options).length === 0) return null
  const schema = model.capabilities.providerOptions
  if (!schema) {
    const fact = `${model.id} takes no provider options.`
    findings.fit({ field: 'providerOptions', requested: null, used: null, fact, mend: 'Leave them out.' })
    return null
  }
  const validator = z.fromJSONSchema(closeObjects({ type: 'object', ...schema }), { registry: z.registry() })
  const problems = listProblems(validator, schema, options)
  if (problems.length === 0) return structuredClone(options)
  const rest = Object.fromEntries(Object.entries(options).filter(([key]) => !problems.some((each) => each.key === key)))
  const isMended = listProblems(validator, schema, rest).length === 0
  for (const { path, message, allowed } of problems) {
    if (isMended) findings.fit({ field: path, requested: null, used: null, fact: message, allowed })
    else findings.refuse({ path, message, allowed })
  }
  return isMended && Object.keys(rest).length > 0 ? structuredClone(rest) : null
}

/** `key`: the option that it is about; null: the whole. */
type OptionProblem = FieldProblem & { readonly key: string | null }

function listProblems(validator: z.ZodType, schema: Schema, options: Options): OptionProblem[] {
  const result = validator.safeParse(options)
  if (result.success) return []
  return result.error.issues.flatMap((issue) => {
    const path = ['providerOptions', ...issue.path.map(String)]
    if (issue.code === 'unrecognized_keys') {
      const known = issue.path.length === 0 && isPlainObject(schema.properties) ? Object.keys(schema.properties) : []
      const mend = known.length > 0 ? ` Known: ${joinChoices(known)}.` : ''
      return issue.keys.map((key) => ({
        key: issue.path.length === 0 ? key : String(issue.path[0]),
        path: [...path, key].join('.'),
        message: `There is no option ${quote(key)}.${mend}`,
        allowed: known,
      }))
    }
    const allowed = issue.code === 'invalid_value' ? issue.values.map(String) : []
    return [
      {
        key: issue.path.length === 0 ? null : String(issue.path[0]),
        path: path.join('.'),
        message: `${issue.message}.`,
        allowed,
      },
    ]
  })
}

/** `additionalProperties: false` wherever a schema of properties leaves it open. */
function closeObjects(schema: Schema): Schema {
  const closed: Record<string, unknown> = { ...schema }
  const { properties, items } = schema
  if (isPlainObject(properties)) {
    const entries = Object.entries(properties)
    closed.properties = Object.fromEntries(
      entries.map(([key, value]) => [key, isPlainObject(value) ? closeObjects(value) : value]),
    )
  }
  if (isPlainObject(items)) closed.items = closeObjects(items)
  if (schema.type === 'object' || isPlainObject(properties)) {
    closed.type ??= 'object'
    closed.additionalProperties ??= false
  }
  return closed
}
