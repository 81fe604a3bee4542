import { GraphQLError, NoSchemaIntrospectionCustomRule, parse, validate } from 'graphql'
import type { TransportPlugin } from './plugin-context.ts'
import { quietSyntaxError, quietValidationError } from './quiet-messages.ts'

export type DocumentLimits = {
  readonly tokens: number
  readonly validationErrors: number
  readonly introspection: boolean
  readonly documentLength: number
}

/**
 * Bounds on the text of an operation. They hold on every transport, and depend on the document alone: Yoga caches what
 * parsing and validation said, so nothing that looks at variables or the caller may stand here.
 */
export function createDocumentLimits(limits: DocumentLimits): TransportPlugin {
  return {
    onParams({ params }) {
      if (typeof params.query === 'string' && params.query.length > limits.documentLength) throw tooLong(limits)
    },
    onParse({ setParseFn }) {
      setParseFn((source, options) => {
        try {
          return parse(source, { ...options, maxTokens: limits.tokens })
        } catch (error) {
          throw quietSyntaxError(error)
        }
      })
    },
    onValidate({ setValidationFn, addValidationRule }) {
      if (!limits.introspection) addValidationRule(NoSchemaIntrospectionCustomRule)
      setValidationFn((schema, document, rules) =>
        validate(schema, document, rules, { hideSuggestions: true, maxErrors: limits.validationErrors }).map(
          quietValidationError,
        ),
      )
    },
  }
}

function tooLong({ documentLength }: DocumentLimits): GraphQLError {
  const message = `The text of an operation has at most ${documentLength} characters. Put what is longer into variables.`
  return new GraphQLError(message, { extensions: { code: 'REQUEST_ENTITY_TOO_LARGE', http: { status: 413 } } })
}
