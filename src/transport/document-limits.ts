import { NoSchemaIntrospectionCustomRule, parse, validate } from 'graphql'
import type { TransportPlugin } from './plugin-context.ts'
import { quietSyntaxError, quietValidationError } from './quiet-messages.ts'

export type DocumentLimits = {
  readonly tokens: number
  readonly validationErrors: number
  readonly introspection: boolean
}

/**
 * Bounds on the text of an operation. They hold on every transport, and depend on the document alone: Yoga caches what
 * parsing and validation said, so nothing that looks at variables or the caller may stand here.
 */
export function createDocumentLimits(limits: DocumentLimits): TransportPlugin {
  return {
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
