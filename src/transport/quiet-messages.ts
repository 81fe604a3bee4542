import {
  GraphQLError,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
  validateInputValue,
} from 'graphql'

/**
 * GraphQL's own messages print the value that did not fit, and one day that value is a provider's key in the wrong
 * place, which then stands in the caller's error tracker. These say where and what was expected, and never what came.
 */

const SHORT_NAME = /^[_A-Za-z]\w{0,39}$/
const VALUE_KINDS: ReadonlySet<string> = new Set([
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  Kind.BOOLEAN,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
  Kind.OBJECT_FIELD,
])
const UNKNOWN_FIELD = /^Expected value of type "(\w+)" not to include unknown field "(\w{1,40})"/
const TYPE_IN_MESSAGE: readonly RegExp[] = [
  /^Expected value of (?:non-null )?type "([\w![\]]+)"/,
  /^(\w+) cannot represent/,
  /^Enum "(\w+)"/,
]

export function quietSyntaxError(error: unknown): unknown {
  // The parser descends by calling itself, and lists within the token limit can go deeper than the stack.
  if (error instanceof RangeError) return new GraphQLError('Syntax Error: The document is nested too deeply.')
  if (!(error instanceof GraphQLError)) return error
  const message = error.message.replace(/((?:Block)?String) ".*"/s, '$1')
  return message === error.message ? error : rephrase(error, message)
}

export function quietValidationError(error: GraphQLError): GraphQLError {
  const isAboutValue = error.nodes?.some((node) => VALUE_KINDS.has(node.kind)) || error.message.includes(', found')
  if (!isAboutValue) return error
  const [, owner, unknown] = UNKNOWN_FIELD.exec(error.message) ?? []
  if (unknown !== undefined) return rephrase(error, `${owner} has no field "${unknown}".`)
  const expected = TYPE_IN_MESSAGE.map((pattern) => pattern.exec(error.message)?.[1]).find((name) => name !== undefined)
  return rephrase(error, expected === undefined ? 'Invalid value.' : `Invalid value: expected ${expected}.`)
}

function rephrase(error: GraphQLError, message: string): GraphQLError {
  const { nodes, source, positions, path, extensions } = error
  return new GraphQLError(message, { nodes, source, positions, path, extensions })
}

/** What is wrong with the variables of an operation, at most `limit` entries; call it when they did not fit. */
export function describeVariableProblems(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  limit: number,
): readonly string[] {
  const problems: string[] = []
  for (const definition of operation.variableDefinitions ?? []) {
    const name = definition.variable.name.value
    const type = typeFromAST(schema, definition.type)
    if (!isInputType(type)) continue
    if (!Object.hasOwn(variables, name)) {
      if (isNonNullType(type) && !definition.defaultValue)
        problems.push(`Variable "$${name}" of type ${type} is required.`)
      continue
    }
    const report = (_: GraphQLError, path: readonly (string | number)[]) => {
      problems.push(`Variable "$${name}" has an invalid value${describe(type, variables[name], path, name)}.`)
    }
    validateInputValue(variables[name], type, report, true)
  }
  return [...new Set(problems)].slice(0, limit)
}

function describe(
  root: GraphQLInputType,
  rootValue: unknown,
  path: readonly (string | number)[],
  name: string,
): string {
  let type = root
  let value = rootValue
  for (const key of path) {
    const bare = isNonNullType(type) ? type.ofType : type
    if (isListType(bare)) type = bare.ofType
    else if (isInputObjectType(bare)) type = bare.getFields()[key]?.type ?? type
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, key) : undefined
  }
  const place = path.length === 0 ? '' : ` at "${[name, ...path].join('.')}"`
  return `${place}: ${expectation(type, value)}`
}

function expectation(type: GraphQLInputType, value: unknown): string {
  const named = getNamedType(type)
  if (isInputObjectType(named) && isRecord(value)) {
    const fields = named.getFields()
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key))
    if (unknown !== undefined) {
      return SHORT_NAME.test(unknown) ? `${named.name} has no field "${unknown}"` : `${named.name} has no such field`
    }
    const missing = Object.values(fields).find(
      (field) => isRequiredInputField(field) && value[field.name] === undefined,
    )
    if (missing) return `field "${missing.name}" of type ${missing.type} is required`
    if (named.isOneOf) return `exactly one field of ${named.name} must be given`
  }
  if (isEnumType(named))
    return `expected one of ${named
      .getValues()
      .map((member) => member.name)
      .join(', ')}`
  const form = formOf(named)
  return form === null ? `expected ${type}` : `expected ${type}. ${form.replace(/\.$/, '')}`
}

/** What a scalar of the schema says of itself in the extension `form`. */
function formOf({ extensions }: GraphQLNamedType): string | null {
  return typeof extensions.form === 'string' ? extensions.form : null
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
