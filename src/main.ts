import { createApp } from './app.ts'
import { ConfigError, readConfig } from './config.ts'
import { createLogger } from './logger.ts'

/** The process entry, and the only file that acts when it is loaded: configuration, start, signals. */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  const logger = createLogger({ level: config.logLevel })
  const app = await createApp(config, { logger })
  const stop = stopOnce(() => app.stop())
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // A bug: the state is unknown, and what was committed is safe. Better to start anew than to go on.
  process.on('uncaughtException', (error) => {
    logger.error({ err: error }, 'An error that nobody caught ended the process')
    process.exit(1)
  })
  await app.start()
  announce(app.url, logger)
}

/** A second signal does not wait for the drain. */
function stopOnce(stop: () => Promise<void>): () => void {
  let stopping = false
  return () => {
    if (stopping) process.exit(1)
    stopping = true
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
}

function announce(url: string, logger: { info(fields: object, message: string): void }): void {
  if (!process.stdout.isTTY) return logger.info({ url }, `Pictor is ready at ${url}`)
  process.stdout.write(`Pictor is ready at ${url} — open it in a browser, or try: npm run generate -- "a red fox in snow"\n`)
}

main().catch((error: unknown) => {
  const expected = error instanceof ConfigError || (error instanceof Error && error.name.endsWith('Error') && error.name !== 'Error' && error.name !== 'TypeError')
  process.stderr.write(`Pictor cannot start.\n${expected && error instanceof Error ? error.message : error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
