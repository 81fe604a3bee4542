import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { query } from '../graphql.ts'
import { post } from '../load.ts'
import { startPictor } from '../server-process.ts'
import type { Figure } from '../table.ts'

const HISTORY = readFileSync(new URL('../../schema/operations/history.graphql', import.meta.url), 'utf8')
const SMALL = 1_000
const LARGE = 1_000_000

/** One page of twenty, newest first, at a thousand and at a million rows of one account. */
export async function history(): Promise<Figure[]> {
  const small = await pageMs(SMALL)
  const large = await pageMs(LARGE)
  const ratio = large / small
  return [
    { name: `page of 20 at ${SMALL} rows, mean`, value: small, unit: 'ms' },
    { name: `page of 20 at ${LARGE} rows, mean`, value: large, unit: 'ms' },
    { name: 'ratio', value: ratio, unit: '', goal: 'at most 1.5', met: ratio <= 1.5 },
  ]
}

async function pageMs(rows: number): Promise<number> {
  const first = await startPictor({ PICTOR_ROLES: 'api' })
  await query(first.url, GENERATE_ONE, { input: { prompt: 'a red fox in snow', size: '64x64' } })
  await first.stop({ keepData: true })
  multiply(join(first.dataDir, 'pictor.db'), rows)
  const server = await startPictor({ PICTOR_ROLES: 'api' }, first.dataDir)
  try {
    const result = await post(server.url, { query: HISTORY, variables: { first: 20 } }, { connections: 1, seconds: 6 })
    return 1000 / result.requests.average
  } finally {
    await server.stop()
  }
}

const GENERATE_ONE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }'

/** Copies a real row under new ids until there are as many as asked for. */
function multiply(path: string, rows: number): void {
  const database = new Database(path)
  const columns = database.prepare("select name from pragma_table_info('generations')").pluck().all().map(String)
  const copied = columns.map((name) => (name === 'id' ? "printf('gen_%032x', n)" : `"${name}"`)).join(', ')
  database.exec(`delete from generations where id <> (select min(id) from generations)`)
  database.exec(
    `insert into generations with recursive counter(n) as (select 1 union all select n + 1 from counter where n < ${rows})
     select ${copied} from counter, (select * from generations limit 1)`,
  )
  database.pragma('wal_checkpoint(truncate)')
  database.close()
}
