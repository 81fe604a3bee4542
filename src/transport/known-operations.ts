import { createHash } from 'node:crypto'
import {
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  parse,
  print,
  separateOperations,
  stripIgnoredCharacters,
  validate,
  visit,
} from 'graphql'

/** A document that somebody wrote down for this server. */
export type OperationSource = {
  /** Where a fault in it would be mended, such as the name of its file. */
  readonly origin: string
  /** By which clients call it, besides its hashes; null: by these alone. */
  readonly id: string | null
  readonly text: string
}

/** Documents that clients may name instead of sending them. */
export type KnownOperations = {
  /** The text behind an id, or behind the SHA-256 of the text in hexadecimal. */
  find(id: string): string | undefined
  /** Is it the text of one, or the same but for spaces, commas and comments? */
  has(text: string): boolean
}

export type OperationPolicy = {
  readonly known: KnownOperations
  /** Run nothing else. */
  readonly only: boolean
}

/** Every document that cannot be run here, each with its origin and what is wrong. */
export class KnownOperationsError extends Error {
  override readonly name = 'KnownOperationsError'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/**
 * A document is known as it stands, and each of its operations as clients print it: as it is, and with the `__typename`
 * that normalising caches put into every selection. KnownOperationsError names those that are not valid here.
 */
export function createKnownOperations(schema: GraphQLSchema, sources: readonly OperationSource[]): KnownOperations {
  const byId = new Map<string, string>()
  const texts = new Set<string>()
  const bareTexts = new Set<string>()
  const faults: string[] = []

  function add(text: string): void {
    texts.add(text)
    bareTexts.add(stripIgnoredCharacters(text))
    byId.set(hashOf(text), text)
  }

  for (const { origin, id, text } of sources) {
    const document = readDocument(schema, text)
    if (typeof document === 'string') {
      faults.push(`${origin}: ${document}`)
      continue
    }
    for (const operation of Object.values(separateOperations(document))) {
      add(print(operation))
      add(print(withTypenames(operation)))
    }
    add(text)
    if (id === null) continue
    if (byId.has(id) && byId.get(id) !== text) faults.push(`${origin}: the id ${id} stands for another document too`)
    byId.set(id, text)
  }
  if (faults.length > 0) throw new KnownOperationsError(faults)
  return { find: (id) => byId.get(id), has: (text) => texts.has(text) || hasBare(bareTexts, text) }
}

/** Longer ones are not looked at so closely: it takes time, and no operation of a client is. */
const MAX_COMPARED_LENGTH = 65_536

/** urql writes documents in a way of its own. */
function hasBare(bareTexts: ReadonlySet<string>, text: string): boolean {
  if (text.length > MAX_COMPARED_LENGTH) return false
  try {
    return bareTexts.has(stripIgnoredCharacters(text))
  } catch {
    return false
  }
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** The document, or what is wrong with it. */
function readDocument(schema: GraphQLSchema, text: string): DocumentNode | string {
  try {
    const document = parse(text)
    const [error] = validate(schema, document)
    return error ? error.message : document
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** In the place where Apollo and urql put it: last, wherever none is, and not at the root. */
function withTypenames(document: DocumentNode): DocumentNode {
  return visit(document, {
    SelectionSet(node, _key, parent) {
      const isRoot = parent !== undefined && 'kind' in parent && parent.kind === Kind.OPERATION_DEFINITION
      const has = node.selections.some(
        (selection) => selection.kind === Kind.FIELD && selection.name.value === '__typename',
      )
      if (isRoot || has) return undefined
      const typename = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } } as const
      return { ...node, selections: [...node.selections, typename] }
    },
  })
}
