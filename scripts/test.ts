/**
 * `npm test`: runs the tests and ends with one line, `N passed, N failed`. Arguments go to vitest; the name of a
 * project (`npm test -- unit`) stands for `--project unit`. Exits 1 when anything failed, and when no test ran.
 */
import { runTests } from './test-run.ts'

const PROJECTS = ['unit', 'contract', 'integration', 'attacks', 'chaos', 'e2e']

await runTests(
  process.argv.slice(2).flatMap((word) => (PROJECTS.includes(word) ? ['--project', word] : [word])),
  ['default'],
)
