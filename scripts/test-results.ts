import type { TestModule } from 'vitest/node'

export type Results = { readonly passed: number; readonly failed: number }

/** A file that does not load, a hook that throws and an error that nobody caught count as one failure each. */
export function countResults(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): Results {
  let passed = 0
  let failed = unhandledErrors.length
  for (const module of modules) {
    failed += module.errors().length
    for (const suite of module.children.allSuites()) failed += suite.errors().length
    for (const test of module.children.allTests()) {
      if (test.result().state === 'passed') passed += 1
      if (test.result().state === 'failed') failed += 1
    }
  }
  return { passed, failed }
}
