import type { TestError } from 'vitest'
import type { Reporter, TestCase } from 'vitest/node'
import { type EntryResult, toEntryLines } from './entry-lines.ts'

const STATES = { passed: 'pass', failed: 'FAIL', skipped: 'skip', pending: 'skip' } as const

/** A line for each entry, by number. What failed is told in full before the lines. */
export const entryReporter: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const faults = modules.flatMap((module) => [
      ...module.errors(),
      ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
    ])
    for (const error of [...faults, ...unhandledErrors]) console.log(error.stack ?? error.message)
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    for (const test of tests) tellFailure(test)
    for (const line of toEntryLines(tests.map(toResult))) console.log(line)
  },
}

function toResult(test: TestCase): EntryResult {
  return { title: test.name, state: STATES[test.result().state], figures: test.meta().figures }
}

function tellFailure(test: TestCase): void {
  for (const error of test.result().errors ?? []) console.log([test.fullName, ...describe(error), ''].join('\n'))
}

/** What was found, and what lies behind it: of a property, the failure of one of its runs. */
function describe({ stack, message, diff, cause }: TestError): string[] {
  const own = [stack ?? message, diff].filter((part) => part !== undefined)
  return cause === undefined ? own : [...own, 'Caused by:', ...describe(cause)]
}
