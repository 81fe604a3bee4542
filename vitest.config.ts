import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

type ProjectLimits = {
  readonly testTimeoutMs: number
  /** false: the files of this project run one after the other. */
  readonly filesInParallel: boolean
}

function project(name: string, limits: ProjectLimits) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      environment: 'node' as const,
      testTimeout: limits.testTimeoutMs,
      hookTimeout: limits.testTimeoutMs,
      fileParallelism: limits.filesInParallel,
      retry: 0,
      restoreMocks: true,
      unstubEnvs: true,
    },
  }
}

export default defineConfig({
  // Without Vite's own `development` condition, which would load a second copy of graphql beside the one that Yoga loads.
  ssr: { resolve: { conditions: ['module-sync', 'node'] } },
  test: {
    globalSetup: 'test/support/services.ts',
    // Vitest leaves one core free by itself; on two cores that is half of them.
    maxWorkers: availableParallelism(),
    projects: [
      project('unit', { testTimeoutMs: 5_000, filesInParallel: true }),
      project('contract', { testTimeoutMs: 20_000, filesInParallel: true }),
      project('integration', { testTimeoutMs: 30_000, filesInParallel: true }),
      project('attacks', { testTimeoutMs: 60_000, filesInParallel: true }),
      project('chaos', { testTimeoutMs: 300_000, filesInParallel: false }),
      project('e2e', { testTimeoutMs: 120_000, filesInParallel: false }),
    ],
  },
})
