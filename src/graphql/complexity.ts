import { PothosValidationError } from '@pothos/core'
import { complexityFromQuery } from '@pothos/plugin-complexity'
import { type DocumentNode, GraphQLError, type GraphQLSchema, TypeInfo, visit, visitWithTypeInfo } from 'graphql'

export type OperationCost = {
  /** 1 a field, more where it is dear; lists multiply what stands inside them by their likely length. */
  readonly cost: number
  readonly depth: number
  /** Fields of the whole operation, those of a fragment once for each place where it is spread. */
  readonly breadth: number
}

const NOTHING: OperationCost = { cost: 0, depth: 0, breadth: 0 }

type CostQuery = {
  readonly schema: GraphQLSchema
  /** Valid: the one operation that will run, with its fragments. */
  readonly document: DocumentNode
  readonly variables: Readonly<Record<string, unknown>>
  readonly context: object
}

/** As `costOf`, and worked out only once for a document whose cost hangs on no argument, which is nearly every one. */
export function createCostMeter(): (query: CostQuery) => OperationCost {
  const fixedCosts = new WeakMap<DocumentNode, OperationCost | 'varies'>()
  return (query) => {
    const { schema, document } = query
    const known = fixedCosts.get(document)
    if (known !== undefined && known !== 'varies') return known
    const cost = costOf(query)
    if (known === undefined) fixedCosts.set(document, hasVaryingCost(schema, document) ? 'varies' : cost)
    return cost
  }
}

/** Is there a field whose cost is a function of its arguments? */
function hasVaryingCost(schema: GraphQLSchema, document: DocumentNode): boolean {
  let varies = false
  const types = new TypeInfo(schema)
  const look = () => {
    varies ||= typeof types.getFieldDef()?.extensions.complexity === 'function'
  }
  visit(document, visitWithTypeInfo(types, { Field: look }))
  return varies
}

/**
 * What an operation would cost, before anything of it runs: for the transport to hold against its limits. It depends
 * on the variables, so it is worked out for each request and not for each document. Variables that cannot be read cost
 * nothing: execution refuses them before it calls a resolver.
 */
export function costOf(query: CostQuery): OperationCost {
  try {
    const { complexity, depth, breadth } = complexityFromQuery(query.document, {
      schema: query.schema,
      variables: { ...query.variables },
      ctx: query.context,
    })
    return { cost: complexity, depth, breadth }
  } catch (error) {
    if (error instanceof GraphQLError && !(error instanceof PothosValidationError)) return NOTHING
    throw error
  }
}
