import { stat } from 'node:fs/promises'
import { isLoopback } from '../composition/identity.ts'
import type { Config } from '../config.ts'
import { hasApiKeys } from '../store/api-key-store.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { findDamage, findLatestTime } from '../store/database-health.ts'
import type { CommandContext } from './context.ts'
import { bad, type Finding, good, messageOf } from './doctor-checks.ts'
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
  const size =
    path === null
      ? null
      : await stat(path).then(
          (stats) => stats.size,
          () => 0,
        )
  if (size === 0) {
    const first = good('database', `${path} will be made at the first start`)
    return [first, describeKeys(config, false), describeClock(now, null)]
  }
  let database: Database
  try {
    database = await openDatabase({ url: config.databaseUrl, migrate: false, mustExist: true })
  } catch (error) {
    const mend = 'The line above says what mends it.'
    return [bad('database', withoutPassword(messageOf(error), config), mend), describeClock(now, null)]
  }
  try {
    await database.check()
    const damage = await findDamage(database.read)
    return [
      damage.length > 0
        ? bad('database', `damaged: ${damage.join('; ')}`, 'Stop the server and restore a copy.')
        : good(
            'database',
            `${path ?? 'PostgreSQL'}, up to date${size === null ? '' : `, ${formatBytes(size)}, sound`}`,
          ),
      describeKeys(config, await hasApiKeys(database.read)),
      describeClock(now, await findLatestTime(database.read)),
    ]
  } catch (error) {
    return [
      bad('database', messageOf(error), 'Let this user write to it, and make room on its disk.'),
      describeClock(now, null),
    ]
  } finally {
    await database.close()
  }
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
