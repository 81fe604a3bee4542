import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { type FieldProblem, InvalidInputError } from '../errors.ts'
import type { Ids } from '../ids.ts'
import { findAccount, getAccount, insertAccountIfAbsent, listAccounts } from '../store/account-store.ts'
import type { Database } from '../store/handles.ts'
import type { AccountRow, BillingMode } from '../store/tables.ts'
import type { Account } from './account-types.ts'
import { checkName } from './field-checks.ts'

export type AccountLimits = Pick<
  Account,
  'requestsPerMinute' | 'concurrentGenerations' | 'subscriptions' | 'dailySpendMicros'
>

export type NewAccount = {
  readonly name: string
  readonly billing: BillingMode
  /** What is left out takes its default. */
  readonly limits: Partial<AccountLimits>
}

export type Accounts = {
  /** InvalidInput. Begins with a balance of 0; credit is the ledger's to grant. */
  create(account: NewAccount): Promise<Account>
  find(id: string): Promise<Account | undefined>
  /** In order of making, after the account `afterId`. */
  list(page?: { readonly afterId?: string; readonly limit?: number }): Promise<readonly Account[]>
  /** Up to ten seconds old, so that each request need not read them. */
  limitsOf(accountId: string): Promise<AccountLimits>
  /** Makes the account that callers are in `auto` mode; one that is there stays as it is. */
  ensureLocal(): Promise<void>
}

export const LOCAL_ACCOUNT_ID = 'acc_local'

export const DEFAULT_LIMITS: AccountLimits = {
  requestsPerMinute: 600,
  concurrentGenerations: 16,
  subscriptions: 1_000,
  dailySpendMicros: null,
}

/** The local account is the operator's own machine: limits are there to stop a runaway loop, no more. */
export const LOCAL_LIMITS: AccountLimits = {
  requestsPerMinute: 1_000_000,
  concurrentGenerations: 64,
  subscriptions: 100_000,
  dailySpendMicros: null,
}

const LIMITS_AGE_MS = 10_000
const MAX_KNOWN_LIMITS = 10_000

export function createAccounts(deps: {
  readonly database: Database
  readonly clock: Clock
  readonly ids: Pick<Ids, 'next'>
}): Accounts {
  const { database, clock, ids } = deps
  const known = new LRUCache<string, { readonly limits: AccountLimits; readonly readAt: number }>({
    max: MAX_KNOWN_LIMITS,
  })

  return {
    async create(account) {
      assertAccount(account)
      const row = rowOf({ id: ids.next('acc'), now: clock.now(), ...account })
      await database.transact((trx) => insertAccountIfAbsent(trx, row))
      return row
    },
    find: (id) => findAccount(database.read, id),
    list: ({ afterId = '', limit = 100 } = {}) => listAccounts(database.read, { afterId, limit }),
    async limitsOf(accountId) {
      const now = clock.now()
      const entry = known.get(accountId)
      if (entry && Math.abs(now - entry.readAt) < LIMITS_AGE_MS) return entry.limits
      const limits = await getAccount(database.read, accountId)
      known.set(accountId, { limits, readAt: now })
      return limits
    },
    async ensureLocal() {
      const local = { id: LOCAL_ACCOUNT_ID, name: 'Local', billing: 'METERED', limits: LOCAL_LIMITS } as const
      const row = rowOf({ ...local, now: clock.now() })
      await database.transact((trx) => insertAccountIfAbsent(trx, row))
    },
  }
}

function rowOf(account: NewAccount & { id: string; now: number }): AccountRow {
  const { id, name, billing, limits, now } = account
  const money = { balanceMicros: 0, heldMicros: 0, spendDay: 0, spentMicros: 0 }
  return { id, name: name.trim(), billing, ...money, ...DEFAULT_LIMITS, ...limits, createdAt: now }
}

function assertAccount({ name, limits }: NewAccount): void {
  const { dailySpendMicros = null, ...counts } = limits
  const problems: (FieldProblem | null)[] = [
    checkName('name', name, 100),
    ...Object.entries(counts).map(([path, count]) =>
      Number.isSafeInteger(count) && count >= 1 && count <= 1_000_000_000
        ? null
        : { path, message: 'It must be a whole number from 1 to 1000000000.', allowed: [] },
    ),
    dailySpendMicros === null || (Number.isSafeInteger(dailySpendMicros) && dailySpendMicros > 0)
      ? null
      : { path: 'dailySpend', message: 'It must be above 0; leave it out to set no limit.', allowed: [] },
  ]
  const found = problems.filter((problem) => problem !== null)
  if (found.length > 0) throw new InvalidInputError(found)
}
