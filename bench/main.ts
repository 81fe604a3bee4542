import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { accept } from './scenarios/accept.ts'
import { history } from './scenarios/history.ts'
import { startUp } from './scenarios/start-up.ts'
import { throughput } from './scenarios/throughput.ts'
import { watchers } from './scenarios/watchers.ts'
import { type Figure, formatTable } from './table.ts'

const SCENARIOS: Readonly<Record<string, () => Promise<Figure[]>>> = {
  'start-up': startUp,
  accept,
  throughput,
  watchers,
  history,
}

/** `npm run bench`, or `npm run bench -- accept history` for some of it. Prints a table and writes JSON. */
const { positionals } = parseArgs({ allowPositionals: true })
const results: Record<string, Figure[]> = {}
for (const [name, run] of Object.entries(SCENARIOS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const figures = await run()
  results[name] = figures
  console.log(formatTable(name, figures))
}
const machine = { cpus: cpus().length, cpu: cpus()[0]?.model, memoryBytes: totalmem(), node: process.version }
const file = new URL(`results/${new Date().toISOString().replaceAll(':', '-')}.json`, import.meta.url)
await mkdir(new URL('.', file), { recursive: true })
await writeFile(file, `${JSON.stringify({ machine, results }, null, 2)}\n`)
console.log(`Written to bench/results/${file.pathname.split('/').at(-1)}`)
