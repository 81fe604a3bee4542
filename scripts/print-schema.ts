/**
 * `npm run schema` writes schema/schema.graphql, introspection.json and possible-types.json from src/graphql.
 * With `--check` it changes nothing and exits 1 when they are not as they should be.
 */
import { createSchema } from '../src/graphql/schema.ts'
import { runGenerator } from './generated-files.ts'
import { describeSchema } from './schema-files.ts'

process.exitCode = await runGenerator({
  files: describeSchema(createSchema()),
  check: process.argv.includes('--check'),
  command: 'npm run schema',
})
