import { type GraphQLError, type GraphQLSchema, getVariableValues } from 'graphql'
import { refusal } from './graphql-errors.ts'
import type { TransportLimits } from './limits.ts'
import type { OperationScope } from './operation-scope.ts'
import { createOperationReader, type OperationShape, type SelectedOperation } from './operation-shape.ts'
import { describeVariableProblems } from './quiet-messages.ts'
import { forgeryRefusal } from './request-format.ts'
import type { HttpServerOptions } from './server-options.ts'

export type OperationArgs = {
  readonly schema: GraphQLSchema
  readonly document: SelectedOperation['document']
  readonly operationName?: string | null | undefined
  readonly variableValues?: Readonly<Record<string, unknown>> | null | undefined
  readonly contextValue: object
}

/** null: may run. */
export type OperationGuard = (args: OperationArgs, scope: OperationScope) => readonly GraphQLError[] | null

/**
 * The last look before an operation runs, on every transport. It sees the variables, so it must not be a validation rule:
 * Yoga caches those by document, and a dear call would pass on the word of a cheap one.
 */
export function createOperationGuard(
  options: Pick<HttpServerOptions, 'costOf'>,
  limits: TransportLimits,
): OperationGuard {
  const readOperation = createOperationReader()

  return (args, scope) => {
    const selected = readOperation(args.document, args.operationName ?? null)
    if (!selected) return [refusal('BAD_USER_INPUT', 'Could not determine what operation to execute.')]
    const { operation, shape, document } = selected
    scope.operation = operation.operation
    if (scope.subscriptionOnly && operation.operation !== 'subscription') return [forgeryRefusal()]
    const tooLarge = findExcess(shape, limits, operation.operation === 'mutation')
    if (tooLarge) return [tooLarge]
    const variables = args.variableValues ?? {}
    const misfits = checkVariables(args.schema, operation, variables, limits.validationErrors)
    if (misfits) return misfits
    const cost = options.costOf?.({ schema: args.schema, document, variables, context: args.contextValue }).cost ?? 0
    return cost > limits.cost ? [excess('cost', cost, limits.cost)] : null
  }
}

function checkVariables(
  schema: GraphQLSchema,
  operation: SelectedOperation['operation'],
  variables: Readonly<Record<string, unknown>>,
  limit: number,
): readonly GraphQLError[] | null {
  const definitions = operation.variableDefinitions
  if (!definitions?.length) return null
  const coerced = getVariableValues(schema, definitions, { ...variables }, { maxErrors: limit, hideSuggestions: true })
  if (!coerced.errors) return null
  const problems = describeVariableProblems(schema, operation, variables, limit)
  const messages = problems.length > 0 ? problems : ['The variables do not fit the operation.']
  return messages.map((message) => refusal('BAD_USER_INPUT', message))
}

function findExcess(shape: OperationShape, limits: TransportLimits, isMutation: boolean): GraphQLError | null {
  if (shape.depth > limits.depth) return excess('depth', shape.depth, limits.depth)
  if (shape.fields > limits.fields) return excess('number of fields', shape.fields, limits.fields)
  if (isMutation && shape.rootFields > limits.mutationFields) {
    return excess('number of mutations', shape.rootFields, limits.mutationFields)
  }
  return null
}

function excess(what: string, requested: number, limit: number): GraphQLError {
  return refusal('QUERY_TOO_COMPLEX', `The operation's ${what} is ${requested}; at most ${limit} is taken.`, {
    requested,
    limit,
  })
}
