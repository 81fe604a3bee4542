import {
  type GraphQLSchema,
  introspectionFromSchema,
  isAbstractType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql'
import type { GeneratedFile } from './generated-files.ts'

/** The contract as data: for people, for graphcache and code generators, and for Apollo's cache. */
export function describeSchema(schema: GraphQLSchema): readonly GeneratedFile[] {
  const sorted = lexicographicSortSchema(schema)
  return [
    { path: 'schema/schema.graphql', text: `${printSchema(sorted)}\n` },
    { path: 'schema/introspection.json', text: `${JSON.stringify(introspectionFromSchema(sorted), null, 2)}\n` },
    { path: 'schema/possible-types.json', text: `${JSON.stringify(listPossibleTypes(sorted), null, 2)}\n` },
  ]
}

function listPossibleTypes(schema: GraphQLSchema): Record<string, string[]> {
  const abstract = Object.values(schema.getTypeMap()).filter(
    (type) => isAbstractType(type) && !type.name.startsWith('__'),
  )
  return Object.fromEntries(
    abstract.filter(isAbstractType).map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
  )
}
