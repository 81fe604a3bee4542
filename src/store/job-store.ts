import { type Kysely, sql, type Transaction } from 'kysely'
import { createCompiledQuery } from './compiled-query.ts'
import { greatest, skipLocked } from './dialect.ts'
import type { JobRow, Tables } from './tables.ts'

/** Row of `jobTurns` that holds the turn last claimed: the clock of the fair order. No flow has an empty name. */
const CLOCK = ''

/** The next turn of a flow: `step` behind its last one, or behind the clock where it has fallen behind that. */
export async function takeTurn(trx: Transaction<Tables>, flow: string, step: number): Promise<number> {
  const { rows } = await selectTurn(trx, { flow, step })
  const [row] = rows
  if (row === undefined) throw new Error('The database did not say which turn it gave.')
  return row.turn
}

const selectTurn = createCompiledQuery<{ flow: string; step: number }, { turn: number }>((db, value) => {
  const clock = sql<number>`coalesce((select c."turn" from "jobTurns" c where c."flow" = ${sql.lit(CLOCK)}), 0)`
  // PostgreSQL takes a parameter beside a bigint for one only when told so.
  const step = sql<number>`cast(${value('step')} as bigint)`
  return db
    .insertInto('jobTurns')
    .values({ flow: value('flow'), turn: sql<number>`${clock} + ${step}` })
    .onConflict((conflict) =>
      conflict
        .column('flow')
        .doUpdateSet({ turn: sql<number>`${greatest(sql.ref('jobTurns.turn'), clock)} + ${step}` }),
    )
    .returning('turn')
})

export async function advanceTurnClock(trx: Transaction<Tables>, turn: number): Promise<void> {
  await trx
    .insertInto('jobTurns')
    .values({ flow: CLOCK, turn })
    .onConflict((conflict) => conflict.column('flow').doUpdateSet({ turn }).where('jobTurns.turn', '<', turn))
    .execute()
}

export async function insertJob(trx: Transaction<Tables>, job: JobRow): Promise<void> {
  await insertRow(trx, job)
}

const insertRow = createCompiledQuery((db, _, row: JobRow) => db.insertInto('jobs').values(row))

export type ClaimFilter = {
  readonly now: number
  readonly limit: number
  /** Providers that take no further call now. */
  readonly busyProviders: readonly string[]
}

/**
 * In fair order: by turn. Accounts that run as many generations as they may are passed over. PostgreSQL
 * skips what another process is claiming.
 */
export async function listClaimable(
  trx: Transaction<Tables>,
  filter: ClaimFilter,
  dialect: 'sqlite' | 'postgres',
): Promise<JobRow[]> {
  let select = trx
    .selectFrom('jobs')
    .selectAll()
    .where('leaseToken', 'is', null)
    .where('runAt', '<=', filter.now)
    .where('accountId', 'not in', accountsAtTheirLimit(trx))
    .orderBy('turn')
    .orderBy('priority', 'desc')
    .orderBy('generationId')
    .limit(filter.limit)
  if (filter.busyProviders.length > 0) select = select.where('provider', 'not in', filter.busyProviders)
  return skipLocked(select, dialect).execute()
}

/** Few rows stand behind it: at most as many jobs are leased as workers run. */
function accountsAtTheirLimit(trx: Transaction<Tables>) {
  return trx
    .selectFrom('jobs as leased')
    .innerJoin('accounts', 'accounts.id', 'leased.accountId')
    .select('leased.accountId')
    .where('leased.leaseToken', 'is not', null)
    .groupBy(['leased.accountId', 'accounts.concurrentGenerations'])
    .having((eb) => sql<boolean>`${eb.fn.countAll()} >= ${eb.ref('accounts.concurrentGenerations')}`)
}

/** False when somebody else was faster. */
export async function leaseJob(
  trx: Transaction<Tables>,
  generationId: string,
  lease: { leaseToken: string; leaseExpiresAt: number },
): Promise<boolean> {
  const result = await trx
    .updateTable('jobs')
    .set((eb) => ({ ...lease, claims: eb('claims', '+', 1) }))
    .where('generationId', '=', generationId)
    .where('leaseToken', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Extends the leases that are still held; returns the tokens of those that are. */
export async function extendLeases(
  trx: Transaction<Tables>,
  leases: readonly { leaseToken: string }[],
  leaseExpiresAt: number,
): Promise<string[]> {
  if (leases.length === 0) return []
  const rows = await trx
    .updateTable('jobs')
    .set({ leaseExpiresAt })
    .where(
      'leaseToken',
      'in',
      leases.map((lease) => lease.leaseToken),
    )
    .returning('leaseToken')
    .execute()
  return rows.map((row) => row.leaseToken).filter((token) => token !== null)
}

/** Gives a job back to the queue. False when the lease is lost. */
export async function returnJob(
  trx: Transaction<Tables>,
  lease: { generationId: string; leaseToken: string },
  values: { runAt: number; provider?: string; model?: string },
): Promise<boolean> {
  const result = await trx
    .updateTable('jobs')
    .set({ ...values, leaseToken: null, leaseExpiresAt: null })
    .where('generationId', '=', lease.generationId)
    .where('leaseToken', '=', lease.leaseToken)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** A waiting job that could not be begun: later, so that it does not stand in the way. */
export async function putOffJob(
  trx: Transaction<Tables>,
  generationId: string,
  values: { runAt: number; claims: number },
): Promise<void> {
  await trx
    .updateTable('jobs')
    .set(values)
    .where('generationId', '=', generationId)
    .where('leaseToken', 'is', null)
    .execute()
}

/**
 * Jobs whose lease ran out go back to the queue, to run at once; returns how many. A lease that ends after `latest` is
 * none that was given by the clock as it goes now: the clock was set back since, and a dead worker would be waited for.
 */
export async function returnExpiredJobs(
  trx: Transaction<Tables>,
  { now, expiredBefore, latest }: { readonly now: number; readonly expiredBefore: number; readonly latest: number },
): Promise<number> {
  const result = await trx
    .updateTable('jobs')
    .set({ leaseToken: null, leaseExpiresAt: null, runAt: now })
    .where('leaseToken', 'is not', null)
    .where((eb) => eb.or([eb('leaseExpiresAt', '<', expiredBefore), eb('leaseExpiresAt', '>', latest)]))
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

export async function deleteJob(trx: Transaction<Tables>, generationId: string): Promise<void> {
  await trx.deleteFrom('jobs').where('generationId', '=', generationId).execute()
}

export async function findJob(db: Kysely<Tables>, generationId: string): Promise<JobRow | undefined> {
  const { rows } = await selectJob(db, { generationId })
  return rows[0]
}

const selectJob = createCompiledQuery<{ generationId: string }, JobRow>((db, value) =>
  db.selectFrom('jobs').selectAll().where('generationId', '=', value('generationId')),
)

/** How many waiting jobs come before this one, counted up to `limit`. */
export async function countJobsAhead(
  db: Kysely<Tables>,
  job: Pick<JobRow, 'priority' | 'turn' | 'generationId'>,
  limit: number,
): Promise<number> {
  const { turn, priority, generationId } = job
  const { rows } = await selectAhead(db, { turn, priority, generationId, limit })
  return Number(rows[0]?.ahead ?? 0)
}

type Place = { turn: number; priority: number; generationId: string; limit: number }

const selectAhead = createCompiledQuery<Place, { ahead: number }>((db, value) =>
  db
    .selectFrom((from) =>
      from
        .selectFrom('jobs')
        .select('turn')
        .where('leaseToken', 'is', null)
        // Says nothing new, and lets the index end where this job stands.
        .where('turn', '<=', value('turn'))
        .where((eb) => {
          const isSameTurn = eb('turn', '=', value('turn'))
          const isSamePriority = eb('priority', '=', value('priority'))
          return eb.or([
            eb('turn', '<', value('turn')),
            eb.and([isSameTurn, eb('priority', '>', value('priority'))]),
            eb.and([isSameTurn, isSamePriority, eb('generationId', '<', value('generationId'))]),
          ])
        })
        .limit(value('limit'))
        .as('before'),
    )
    .select((eb) => eb.fn.countAll<number>().as('ahead')),
)

/** Turns of all waiting jobs, in order. */
export async function listWaitingTurns(db: Kysely<Tables>): Promise<number[]> {
  const rows = await db.selectFrom('jobs').select('turn').where('leaseToken', 'is', null).orderBy('turn').execute()
  return rows.map((row) => row.turn)
}

export type QueueState = { waiting: number; leased: number; oldestEnqueuedAt: number | null; nextRunAt: number | null }

export async function readQueueState(db: Kysely<Tables>): Promise<QueueState> {
  const row = await db
    .selectFrom('jobs')
    .select([
      sql<number>`coalesce(sum(case when ${sql.ref('leaseToken')} is null then 1 else 0 end), 0)`.as('waiting'),
      sql<number>`coalesce(sum(case when ${sql.ref('leaseToken')} is null then 0 else 1 end), 0)`.as('leased'),
      sql<number | null>`min(case when ${sql.ref('leaseToken')} is null then ${sql.ref('enqueuedAt')} end)`.as(
        'oldestEnqueuedAt',
      ),
      sql<number | null>`min(case when ${sql.ref('leaseToken')} is null then ${sql.ref('runAt')} end)`.as('nextRunAt'),
    ])
    .executeTakeFirstOrThrow()
  return { ...row, waiting: Number(row.waiting), leased: Number(row.leased) }
}
