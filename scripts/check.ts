/**
 * `npm run check`: everything that can be known without running the house. Each step runs, also after one has failed;
 * a failed one shows what it said. Exits 1 when any failed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'

const ROOT = join(import.meta.dirname, '..')
// The pinned Node and tools come first, as under npm.
const PATH = [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter)

type Step = { readonly name: string; readonly command: readonly [string, ...string[]] }

const STEPS: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'schema is printed', command: ['node', 'scripts/print-schema.ts', '--check'] },
  { name: 'operations are typed', command: ['node', 'codegen.ts', '--check'] },
  { name: 'no silent breaking change', command: ['node', 'scripts/breaking-changes.ts'] },
  { name: 'imports, sizes and words', command: ['vitest', 'run', 'test/unit/architecture.test.ts'] },
]

const failed: string[] = []
for (const step of STEPS) {
  const startedAt = performance.now()
  const { passed, output } = await runStep(step)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${step.name.padEnd(26)} ${seconds.padStart(5)} s`)
  if (!passed) {
    failed.push(step.name)
    console.log(output.trimEnd())
  }
}
if (failed.length > 0) {
  console.log(`Failed: ${failed.join(', ')}. \`npm run fix\` mends lint and format where that is safe.`)
  process.exitCode = 1
}

async function runStep({ command: [program, ...options] }: Step): Promise<{ passed: boolean; output: string }> {
  const child = spawn(program, options, { cwd: ROOT, env: { ...process.env, PATH }, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { passed: code === 0, output: out + errors }
  } catch (error) {
    return { passed: false, output: `${program} did not start: ${error instanceof Error ? error.message : error}` }
  }
}
