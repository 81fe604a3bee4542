import { GraphQLError } from 'graphql'
import type { GraphQLParams } from 'graphql-yoga'
import { refusal } from './graphql-errors.ts'
import { hashOf, type OperationPolicy } from './known-operations.ts'
import type { TransportPlugin } from './plugin-context.ts'

/**
 * Puts the text in the place of an id: `documentId` of GraphQL over HTTP, or `extensions.persistedQuery.sha256Hash` of
 * Apollo. It stands where every transport passes, so that what it refuses is refused on each.
 */
export function createKnownOperationsPlugin({ known, only }: OperationPolicy): TransportPlugin {
  return {
    onParams({ params, setParams }) {
      const id = readId(params)
      const text = params?.query || null
      if (text === null) {
        if (id === null) return
        const found = known.find(id)
        if (found === undefined) throw notFound()
        setParams({ ...params, query: found })
        return
      }
      if (typeof text !== 'string') return
      // The second try of a client whose id was not known: it must not learn to trust a wrong one.
      if (id !== null && id !== hashOf(text) && known.find(id) !== text) throw mismatch()
      if (only && !known.has(text)) throw notKnown()
    },
  }
}

const HASH = /^sha256:/

function readId(params: GraphQLParams & { readonly documentId?: unknown }): string | null {
  const id = params?.documentId ?? readHash(params?.extensions)
  if (id === null || id === undefined || id === '') return null
  if (typeof id !== 'string') throw refusal('BAD_USER_INPUT', 'The id of an operation is text.')
  return id.replace(HASH, '')
}

function readHash(extensions: unknown): unknown {
  if (typeof extensions !== 'object' || extensions === null || !('persistedQuery' in extensions)) return null
  const { persistedQuery } = extensions
  if (typeof persistedQuery !== 'object' || persistedQuery === null || !('sha256Hash' in persistedQuery)) return null
  return persistedQuery.sha256Hash
}

/** In the words that clients wait for before they send the text. */
function notFound(): GraphQLError {
  return new GraphQLError('PersistedQueryNotFound', {
    extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', http: { spec: true, status: 404 } },
  })
}

function mismatch(): GraphQLError {
  return refusal('BAD_USER_INPUT', 'The id is not the SHA-256 of the text that came with it.')
}

function notKnown(): GraphQLError {
  const message =
    'This server runs known operations only, and this is none. Whoever runs the server adds it to PICTOR_OPERATIONS.'
  return refusal('FORBIDDEN', message)
}
