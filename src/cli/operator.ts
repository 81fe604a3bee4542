import { readConfig } from '../config.ts'
import type { Account } from '../identity/account-types.ts'
import { createLogger } from '../logger.ts'
import { CommandError } from './command-error.ts'
import type { CommandContext } from './context.ts'

/** Whoever can write to the database is the operator: no key is asked for, and a server may run meanwhile. */
export type Operator = Awaited<ReturnType<typeof openOperator>>

export async function withOperator<T>(context: CommandContext, work: (operator: Operator) => Promise<T>): Promise<T> {
  const operator = await openOperator(context)
  try {
    return await work(operator)
  } finally {
    await operator.close()
  }
}

async function openOperator({ environment, clock, ids }: CommandContext) {
  const config = readConfig(environment)
  // Only now: what stands on all this should not make `--help` wait.
  const { openFoundations } = await import('../composition/foundations.ts')
  const { createIdentity } = await import('../composition/identity.ts')
  const { createLedger } = await import('../ledger/ledger.ts')
  const logger = createLogger({ level: 'silent' })
  const foundations = await openFoundations(config, { clock, ids, logger, exclusive: false })
  const { database } = foundations
  const { accounts, apiKeys } = createIdentity(config, foundations)
  const ledger = createLedger({ ids })

  async function getAccount(id: string): Promise<Account> {
    const account = await accounts.find(id)
    if (account) return account
    throw new CommandError(2, `There is no account ${id}. See: npm run pictor -- accounts list`, { code: 'NOT_FOUND' })
  }

  return {
    config,
    database,
    accounts,
    apiKeys,
    getAccount,
    /** Returns the account as it is then. */
    async grant(accountId: string, amountMicros: number, note: string | null): Promise<Account> {
      await getAccount(accountId)
      await database.transact((trx) => ledger.grant(trx, { accountId, amountMicros, note, now: clock.now() }))
      return getAccount(accountId)
    },
    close: () => database.close(),
  }
}
