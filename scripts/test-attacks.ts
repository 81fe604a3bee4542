/**
 * `npm run test:attacks`: runs the attacks alone and prints a line for each, by number, then `N passed, N failed`. What
 * failed is told in full before the lines. Arguments go to vitest.
 */
import type { Reporter, TestCase } from 'vitest/node'
import { type AttackResult, toAttackLines } from './attack-lines.ts'
import { runTests } from './test-run.ts'

const STATES = { passed: 'pass', failed: 'FAIL', skipped: 'skip', pending: 'skip' } as const

const lines: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const faults = modules.flatMap((module) => [
      ...module.errors(),
      ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
    ])
    for (const error of [...faults, ...unhandledErrors]) console.log(error.stack ?? error.message)
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    for (const test of tests) tellFailure(test)
    for (const line of toAttackLines(tests.map(toResult))) console.log(line)
  },
}

function toResult(test: TestCase): AttackResult {
  return { title: test.name, state: STATES[test.result().state] }
}

function tellFailure(test: TestCase): void {
  for (const { stack, message, diff } of test.result().errors ?? []) {
    console.log([test.fullName, stack ?? message, diff, ''].filter((part) => part !== undefined).join('\n'))
  }
}

await runTests(['--project', 'attacks', ...process.argv.slice(2)], [lines])
