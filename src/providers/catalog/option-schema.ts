import { z } from 'zod'

/**
 * What every vendor reads as how many pictures, or as an address to call. The request says how many, and is priced by it;
 * whoever may call an address is no caller's to say.
 */
const RESERVED: ReadonlySet<string> = new Set([
  'n',
  'count',
  'num_images',
  'num_outputs',
  'number_of_images',
  'numberOfImages',
  'samples',
  'batch_size',
  'batch_count',
  'n_iter',
  'model',
  'prompt',
  'callback_url',
  'webhook',
  'webhook_url',
  'webhook_secret',
  'webhook_events_filter',
])

/** The JSON Schema of `providerOptions`: it names each option, and none that the request itself decides. */
export const optionSchema = z.record(z.string(), z.unknown()).superRefine((schema, context) => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message })
  const { additionalProperties = false, properties } = schema
  if (additionalProperties !== false) {
    refuse(
      'Name each option in "properties": with additionalProperties callers could send anything, their own count too.',
    )
  }
  if (schema.patternProperties !== undefined) refuse('Name each option in "properties"; patternProperties name none.')
  const names = typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
  for (const name of names.filter((each) => RESERVED.has(each))) {
    refuse(`"${name}" is not an option: how many pictures, of which model and prompt, is what the request itself says.`)
  }
})
