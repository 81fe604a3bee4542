import { keepCompiledCode } from '../../src/cli/compile-cache.ts'

/**
 * A server that kills itself: `node crash-server.ts <n> [from-the-start]` ends by SIGKILL at its n-th point, right before
 * or right after an effect, counted from when it is ready or from its very start. It tells in JSON lines where it listens
 * and, at SIGTERM, how many points it has passed.
 */
const [, , at, from] = process.argv
const last = Number(at)
let counting = from === 'from-the-start'
let passed = 0

function pass(point: string): void {
  if (!counting) return
  passed += 1
  if (passed !== last) return
  process.stderr.write(`${point}\n`)
  process.kill(process.pid, 'SIGKILL')
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

keepCompiledCode()
const { watchEffects, watchPublishing } = await import('./crash-points.ts')
const { createApp } = await import('../../src/app.ts')
const { readConfig } = await import('../../src/config.ts')
const { createLogger } = await import('../../src/logger.ts')

watchEffects(pass)
process.on('SIGTERM', () => {
  say({ passed })
  process.exit(0)
})
const logger = watchPublishing(createLogger({ level: 'silent' }), pass)
const app = await createApp(readConfig(process.env), { logger })
await app.start()
counting = true
say({ url: app.url })
