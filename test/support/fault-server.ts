import { createInterface } from 'node:readline'
import { keepCompiledCode } from '../../src/cli/compile-cache.ts'
import { createSystemClock } from '../../src/clock.ts'

/**
 * A server whose clock and event loop a test has in hand: `node fault-server.ts <lease in ms>`. It logs JSON lines to
 * standard output and takes commands, one a line, from standard input: `jump <ms>` sets its clock on, or back where the
 * number is negative; `block <ms>` keeps its event loop busy. `{"did":"jump 1000"}` says that it is done.
 */
const [, , leaseMs = '15000'] = process.argv
const system = createSystemClock()
let aheadMs = 0

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

keepCompiledCode()
const { createApp } = await import('../../src/app.ts')
const { readConfig } = await import('../../src/config.ts')
const { createLogger } = await import('../../src/logger.ts')

const logger = createLogger({ level: 'info', destination: { write: (line) => void process.stdout.write(line) } })
const app = await createApp(readConfig(process.env), {
  logger,
  clock: { ...system, now: () => system.now() + aheadMs },
  leaseMs: Number(leaseMs),
})
await app.start()
process.once('SIGTERM', () => void app.stop().then(() => process.exit(0)))
createInterface({ input: process.stdin }).on('line', (command) => {
  const [name, amount] = command.split(' ')
  if (name === 'jump') aheadMs += Number(amount)
  if (name === 'block') block(Number(amount))
  say({ did: command })
})
say({ url: app.url })
