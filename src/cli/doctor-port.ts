import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Config } from '../config.ts'
import { bad, type Finding, good, messageOf } from './finding.ts'
import { findRunningServer } from './running-server.ts'

const NAME = 'port'

/** Free, or served by a Pictor. */
export async function checkPort(config: Pick<Config, 'host' | 'port' | 'dataDir'>): Promise<Finding> {
  const { host, port } = config
  const running = await findRunningServer(config)
  if (running !== undefined) return good(NAME, `a Pictor answers at ${running}`)
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return good(NAME, port === 0 ? `any free one of ${host}` : `${port} of ${host} is free`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') {
      return bad(NAME, `${port} of ${host} is taken by a program that is no Pictor`, 'Stop that one, or set PORT.')
    }
    return bad(NAME, messageOf(error), 'Set HOST to an address of this machine, and PORT to one above 1023.')
  } finally {
    server.close()
  }
}
