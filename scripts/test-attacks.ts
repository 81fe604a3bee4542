/**
 * `npm run test:attacks`: runs the attacks alone and prints a line for each, by number, then `N passed, N failed`. What
 * failed is told in full before the lines. Arguments go to vitest.
 */
import { entryReporter } from './entry-reporter.ts'
import { runTests } from './test-run.ts'

await runTests(['--project', 'attacks', ...process.argv.slice(2)], [entryReporter])
