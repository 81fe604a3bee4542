import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

export type OperationShape = {
  readonly depth: number
  /** With fragments put in; each alias counts. */
  readonly fields: number
  readonly rootFields: number
}

export type SelectedOperation = {
  readonly operation: OperationDefinitionNode
  /** The operation alone with all fragments, so that nobody weighs another one of the same document. */
  readonly document: DocumentNode
  readonly shape: OperationShape
}

/**
 * Selects and measures. A fragment is measured once however often it is spread, so that a chain of doubling fragments
 * costs no more time than its text. Introspection is left out: GraphQL's own rule bounds its depth.
 */
export function createOperationReader(): (
  document: DocumentNode,
  operationName: string | null,
) => SelectedOperation | null {
  const known = new WeakMap<OperationDefinitionNode, SelectedOperation>()

  return (document, operationName) => {
    const operation = findOperation(document, operationName)
    if (!operation) return null
    const selected = known.get(operation) ?? select(document, operation)
    known.set(operation, selected)
    return selected
  }
}

function findOperation(document: DocumentNode, name: string | null): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION)
  if (name === null) return operations.length === 1 ? operations[0] : undefined
  return operations.find((node) => node.name?.value === name)
}

function select(document: DocumentNode, operation: OperationDefinitionNode): SelectedOperation {
  const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION)
  return {
    operation,
    document: { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] },
    shape: measure(operation.selectionSet, fragments),
  }
}

const NOTHING: OperationShape = { depth: 0, fields: 0, rootFields: 0 }

function measure(root: SelectionSetNode, fragments: readonly FragmentDefinitionNode[]): OperationShape {
  const byName = new Map(fragments.map((fragment) => [fragment.name.value, fragment]))
  const measured = new Map<string, OperationShape>()

  function ofFragment(name: string): OperationShape {
    const known = measured.get(name)
    if (known) return known
    // Validation has refused cycles; this keeps even an unvalidated document from running away.
    measured.set(name, NOTHING)
    const fragment = byName.get(name)
    const shape = fragment ? ofSelections(fragment.selectionSet) : NOTHING
    measured.set(name, shape)
    return shape
  }

  function ofSelections(set: SelectionSetNode): OperationShape {
    let [depth, fields, rootFields] = [0, 0, 0]
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const hidden = selection.name.value.startsWith('__')
        const inner = selection.selectionSet && !hidden ? ofSelections(selection.selectionSet) : NOTHING
        depth = Math.max(depth, 1 + inner.depth)
        fields += 1 + inner.fields
        rootFields += 1
      } else {
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT
            ? ofSelections(selection.selectionSet)
            : ofFragment(selection.name.value)
        depth = Math.max(depth, inner.depth)
        fields += inner.fields
        rootFields += inner.rootFields
      }
    }
    return { depth, fields, rootFields }
  }

  return ofSelections(root)
}
