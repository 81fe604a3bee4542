import { parseCLI, type Reporter, startVitest } from 'vitest/node'
import { countResults, type Results } from './test-results.ts'

/**
 * Runs vitest with these words of a command line, and ends the process behind one line, `N passed, N failed`. The exit
 * code is 1 when anything failed, and when no test ran.
 */
export async function runTests(words: readonly string[], reporters: readonly (Reporter | 'default')[]): Promise<void> {
  const { filter, options } = parseCLI(['vitest', 'run', ...words])
  let results: Results = { passed: 0, failed: 0 }
  const counter: Reporter = {
    onTestRunEnd(modules, unhandledErrors) {
      results = countResults(modules, unhandledErrors)
    },
  }
  try {
    await startVitest(filter, {
      ...options,
      watch: false,
      reporters: [options.reporters ?? [...reporters], counter].flat(),
    })
  } catch (error) {
    console.error(error)
  }

  const { passed, failed } = results
  const ranNothing = passed + failed === 0
  if (ranNothing) console.log('No test ran.')
  // vitest has set it where something is wrong that is nobody's test, such as a coverage goal that was missed.
  const exitCode = failed > 0 || ranNothing || process.exitCode ? 1 : 0
  // Ends the process, so that nothing left open by a test writes after the last line.
  process.stdout.write(`${passed} passed, ${failed} failed\n`, () => process.exit(exitCode))
}
