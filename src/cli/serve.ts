import { type App, createApp } from '../app.ts'
import { isLoopback } from '../composition/identity.ts'
import { type Config, readConfig } from '../config.ts'
import { listSecrets } from '../config-secrets.ts'
import { createLogger } from '../logger.ts'
import { CommandError } from './command-error.ts'
import type { Environment } from './context.ts'
import type { Interruptions } from './interruptions.ts'
import { noteServerAddress } from './running-server.ts'

export type ServerProcess = {
  readonly environment: Environment
  readonly interruptions: Interruptions
  readonly pid: number
  /** Does a person read standard output? */
  readonly isTerminal: boolean
  writeLine(line: string): void
  onUncaught(handle: (error: Error) => void): void
  exit(code: number): void
}

/** `npm start` and `pictor serve`: resolves when the server is ready; from then on signals decide. */
export async function runServer(server: ServerProcess): Promise<void> {
  const config = readConfig(server.environment)
  const pretty = server.isTerminal
  const logger = createLogger({ level: config.logLevel, pretty, secrets: listSecrets(config) })
  const app = await createApp(config, { logger })
  let forgetAddress: () => Promise<void> = async () => undefined
  server.interruptions.listen(['SIGTERM', 'SIGINT'], () => {
    forgetAddress()
      .then(() => app.stop())
      .then(
        () => server.exit(0),
        (error: unknown) => {
          logger.error({ error }, 'The server did not stop cleanly')
          server.exit(1)
        },
      )
  })
  // A bug: the state is unknown, and what was committed is safe. Better to start anew than to go on.
  server.onUncaught((error) => {
    logger.error({ error }, 'An error that nobody caught ended the process')
    server.exit(1)
  })
  try {
    await app.start()
  } catch (error) {
    await app.stop()
    throw explainStart(error, config)
  }
  if (!config.roles.includes('api')) return
  if (await isShut(app, config)) logger.warn({ host: config.host }, SHUT)
  forgetAddress = await noteServerAddress(config.dataDir, app.url, server.pid)
  if (pretty) {
    server.writeLine(
      `Pictor is ready at ${app.url} — open it in a browser, or try: npm run generate -- "a red fox in snow"`,
    )
    // Whoever waits for the line gets it, however quiet the log is set.
  } else createLogger({ level: 'info', pretty }).info({ url: app.url }, `Pictor is ready at ${app.url}`)
}

const SHUT =
  'Nobody can call this server yet: it wants an API key, and none was made. Make one with: npm run pictor -- keys create --name <name>'

async function isShut({ domain }: App, { auth, host }: Config): Promise<boolean> {
  if (auth === 'auto' && isLoopback(host)) return false
  return !(await domain.apiKeys.anyExist())
}

function explainStart(error: unknown, { host, port }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const mend =
    code === 'EADDRINUSE'
      ? `Something listens on port ${port} of ${host} already. Stop it, or set PORT to another port (0 picks a free one).`
      : code === 'EACCES'
        ? `Port ${port} needs rights that this user does not have. Set PORT to one above 1023.`
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
          ? `${host} is no address of this machine. Set HOST to one, such as 127.0.0.1.`
          : undefined
  return mend === undefined ? error : new CommandError(1, mend, { code }, error)
}
