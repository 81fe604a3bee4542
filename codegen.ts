/**
 * `npm run codegen` writes schema/generated/operations.ts: typed documents for the operations of schema/operations.
 * With `--check` it changes nothing and exits 1 when the file is not as it should be.
 */
import { runGenerator } from './scripts/generated-files.ts'
import { describeOperations } from './scripts/operation-files.ts'
import { createSchema } from './src/graphql/schema.ts'

process.exitCode = await runGenerator({
  files: await describeOperations(createSchema()),
  check: process.argv.includes('--check'),
  command: 'npm run codegen',
})
