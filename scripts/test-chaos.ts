/**
 * `npm run test:chaos`: runs the faults alone and prints a line for each, by number, then `N passed, N failed`. With
 * `--long` nothing is left out: every crash point, ten thousand watchers. Other arguments go to vitest.
 */
import { entryReporter } from './entry-reporter.ts'
import { runTests } from './test-run.ts'

const words = process.argv.slice(2)
if (words.includes('--long')) process.env.PICTOR_TEST_LONG = '1'
await runTests(['--project', 'chaos', ...words.filter((word) => word !== '--long')], [entryReporter])
