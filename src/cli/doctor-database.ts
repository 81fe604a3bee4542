import { stat } from 'node:fs/promises'
import { isLoopback } from '../composition/identity.ts'
import type { Config } from '../config.ts'
import { hasApiKeys } from '../store/api-key-store.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { findDamage, findLatestTime } from '../store/database-health.ts'
import type { CommandContext } from './context.ts'
import { bad, type Finding, good, messageOf } from './finding.ts'
import { formatBytes, formatTime } from './wording.ts'

/** Above this, the newest row says that the clock has been set back. */
const CLOCK_TOLERANCE_MS = 60_000
/** No clock that is right shows an earlier time. */
const EARLIEST_TIME = Date.UTC(2026, 0, 1)

/** Database, keys and clock: what the database tells. Never makes or changes one. */
export async function checkDatabase(
  config: Config,
  { clock }: Pick<CommandContext, 'clock'>,
): Promise<readonly Finding[]> {
  const now = clock.now()
  const path = config.databaseUrl.startsWith('sqlite:') ? config.databaseUrl.slice('sqlite:'.length) : null
  const sizeBytes = path === null ? null : await findSize(path)
  if (sizeBytes === 0) {
    return [
      good('database', `${path} will be made at the first start`),
      describeKeys(config, false),
      describeClock(now, null),
    ]
  }
  try {
    const database = await openDatabase({ url: config.databaseUrl, migrate: false, mustExist: true })
    const name = path === null || sizeBytes === null ? 'PostgreSQL' : `${path}, ${formatBytes(sizeBytes)}`
    return await inspect(database, name, config, now).finally(() => database.close())
  } catch (error) {
    const mend = 'Where it does not say what mends it: let this user read and write the database.'
    return [bad('database', withoutPassword(messageOf(error), config), mend), describeClock(now, null)]
  }
}

async function inspect(database: Database, name: string, config: Config, now: number): Promise<readonly Finding[]> {
  await database.check()
  const damage = await findDamage(database.read, { quick: true })
  return [
    damage.length > 0
      ? bad('database', `damaged: ${damage.join('; ')}`, 'Stop the server and restore a copy.')
      : good('database', `${name}, sound and up to date`),
    describeKeys(config, await hasApiKeys(database.read)),
    describeClock(now, await findLatestTime(database.read)),
  ]
}

/** 0 where there is no such file: to SQLite both are an empty database. */
async function findSize(path: string): Promise<number> {
  return stat(path).then(
    (stats) => stats.size,
    () => 0,
  )
}

export function describeKeys({ auth, host }: Pick<Config, 'auth' | 'host'>, haveKeys: boolean): Finding {
  if (haveKeys) return good('keys', 'every call needs a key')
  if (auth === 'auto' && isLoopback(host)) return good('keys', 'none yet: callers on this machine need none')
  const why = auth === 'required' ? 'PICTOR_AUTH is required' : `${host} is no loopback address`
  return bad(
    'keys',
    `every call needs a key (${why}), and there is none`,
    'Run: npm run pictor -- keys create --name <name>',
  )
}

export function describeClock(now: number, latestTime: number | null): Finding {
  const detail = `${formatTime(now)}, in UTC ${new Date(now).toISOString().slice(0, 16)}Z`
  const mend = 'Set the clock of this machine; deadlines, limits and signed URLs depend on it.'
  if (now < EARLIEST_TIME) return bad('clock', `${detail} is long ago`, mend)
  if (latestTime !== null && latestTime > now + CLOCK_TOLERANCE_MS) {
    return bad('clock', `${detail} is before the newest entry of the database (${formatTime(latestTime)})`, mend)
  }
  return good('clock', detail)
}

/** Messages of drivers may hold the address that they were given. */
function withoutPassword(message: string, { databaseUrl }: Config): string {
  const password = URL.canParse(databaseUrl) ? new URL(databaseUrl).password : ''
  return password === '' ? message : message.replaceAll(password, '[secret]')
}
