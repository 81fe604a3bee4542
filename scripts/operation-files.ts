import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codegen } from '@graphql-codegen/core'
import * as typedDocuments from '@graphql-codegen/typed-document-node'
import * as typescriptOperations from '@graphql-codegen/typescript-operations'
import { type GraphQLSchema, parse, printSchema } from 'graphql'
import type { GeneratedFile } from './generated-files.ts'

const OPERATIONS = join(import.meta.dirname, '..', 'schema', 'operations')
const OUTPUT = 'schema/generated/operations.ts'

const CONFIG = {
  enumType: 'string-literal',
  useTypeImports: true,
  immutableTypes: true,
  defaultScalarType: 'unknown',
  strictScalars: true,
  scalars: {
    ID: 'string',
    DateTime: 'string',
    Decimal: 'string',
    SafeInt: 'number',
    URL: 'string',
    JSON: 'unknown',
    File: 'Blob',
    Secret: 'string',
  },
}

/** Typed documents for the operations of schema/operations: for the command line, the tests and the examples alike. */
export async function describeOperations(schema: GraphQLSchema): Promise<readonly GeneratedFile[]> {
  const text = await codegen({
    filename: OUTPUT,
    schema: parse(printSchema(schema)),
    documents: await readOperations(),
    config: CONFIG,
    plugins: [{ operations: {} }, { documents: {} }],
    pluginMap: { operations: typescriptOperations, documents: typedDocuments },
  })
  return [{ path: OUTPUT, text: `// Made by \`npm run codegen\` from schema/operations. Do not edit.\n${text}` }]
}

async function readOperations() {
  const names = (await readdir(OPERATIONS)).filter((name) => name.endsWith('.graphql')).toSorted()
  return Promise.all(
    names.map(async (name) => ({ location: name, document: parse(await readFile(join(OPERATIONS, name), 'utf8')) })),
  )
}
