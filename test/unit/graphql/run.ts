import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  parse,
  subscribe,
  validate,
} from 'graphql'
import type { WatchedEvent } from '../../../src/generation/services.ts'
import type { Context } from '../../../src/graphql/context.ts'
import { toGraphQLError } from '../../../src/graphql/errors.ts'
import { createSchema } from '../../../src/graphql/schema.ts'

export const SCHEMA: GraphQLSchema = createSchema()

/** Data of an operation that must succeed. */
export async function run(
  source: string | DocumentNode,
  context: Context,
  variables: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  const { data, errors } = await answer(source, context, variables)
  if (errors) throw errors[0]
  return { ...data }
}

/** Code, message and path of the errors of an operation, as they leave through the translator. */
export async function runToErrors(source: string, context: Context, variables: Record<string, unknown> = {}) {
  const { errors = [] } = await answer(source, context, variables)
  return errors.map((error) => describe(error))
}

export function describe(error: GraphQLError) {
  const { message, extensions, path } = toGraphQLError(error) ?? error
  return { message, extensions: { ...extensions }, path }
}

export async function answer(
  source: string | DocumentNode,
  contextValue: Context,
  variableValues: Record<string, unknown> = {},
): Promise<ExecutionResult> {
  return execute({ schema: SCHEMA, document: read(source), contextValue, variableValues })
}

export async function watch(
  source: string | DocumentNode,
  contextValue: Context,
  variableValues: Record<string, unknown> = {},
): Promise<AsyncIterableIterator<ExecutionResult>> {
  const result = await subscribe({ schema: SCHEMA, document: read(source), contextValue, variableValues })
  if (Symbol.asyncIterator in result) return result
  throw result.errors?.[0]
}

/** A watcher's iterator that has these events and then ends. */
export function streamOf(events: readonly WatchedEvent[]): AsyncIterableIterator<WatchedEvent> {
  const rest = [...events]
  const iterator: AsyncIterableIterator<WatchedEvent> = {
    async next() {
      const value = rest.shift()
      return value ? { done: false, value } : { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of source) all.push(each)
  return all
}

function read(source: string | DocumentNode): DocumentNode {
  const document = typeof source === 'string' ? parse(source) : source
  const [error] = validate(SCHEMA, document)
  if (error) throw error
  return document
}
