import { InvalidInputError } from '../../errors.ts'
import { toSnakeCase } from '../snake-case.ts'

/** What is wrong with a request, in the names of the arguments that it was made of. */
export async function inArgumentNames<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    throw new InvalidInputError(error.fields.map((field) => ({ ...field, path: toArgumentPath(field.path) })))
  }
}

/**
 * The name of an argument for a path inside GenerationInput: `fallbackModels.0` is `fallback_models.0`. What lies below
 * `providerOptions` is named by the provider and stays.
 */
export function toArgumentPath(path: string): string {
  const [first = '', ...rest] = path.split('.')
  return [toSnakeCase(first), ...(first === 'providerOptions' ? rest : rest.map(toSnakeCase))].join('.')
}
