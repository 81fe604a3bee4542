import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { NotFoundError } from '../errors.ts'
import type { Account } from '../identity/account-types.ts'
import { createProviderKeyUpkeep } from '../identity/provider-key-upkeep.ts'
import type { Ids } from '../ids.ts'
import { createLedger } from '../ledger/ledger.ts'
import { createLogger } from '../logger.ts'
import { findApiKey } from '../store/api-key-store.ts'
import { openFoundations } from './foundations.ts'
import { createIdentity } from './identity.ts'

/**
 * Whoever can write to the database is the operator: no key is asked for, and a server may run meanwhile, which sees
 * what was changed within ten seconds.
 */
export type Operator = Awaited<ReturnType<typeof openOperator>>

export async function openOperator(config: Config, { clock, ids }: { clock: Clock; ids: Ids }) {
  const logger = createLogger({ level: 'silent' })
  const foundations = await openFoundations({ ...config, redisUrl: null }, { clock, ids, logger, exclusive: false })
  const { database } = foundations
  const { accounts, apiKeys, secretBox } = createIdentity(config, foundations)
  const ledger = createLedger({ ids })

  async function getAccount(id: string): Promise<Account> {
    const account = await accounts.find(id)
    if (account) return account
    throw new NotFoundError('account')
  }

  return {
    accounts,
    apiKeys,
    providerKeys: createProviderKeyUpkeep({ database, box: secretBox }),
    /** NotFound. */
    getAccount,
    /** NotFound. Returns the account as it is then. */
    async grant(accountId: string, amountMicros: number, note: string | null): Promise<Account> {
      await getAccount(accountId)
      await database.transact((trx) => ledger.grant(trx, { accountId, amountMicros, note, now: clock.now() }))
      return getAccount(accountId)
    },
    /** NotFound. A key of whichever account. */
    async revokeKey(id: string) {
      const row = await findApiKey(database.read, id)
      if (!row) throw new NotFoundError('API key')
      return apiKeys.revoke(row.accountId, id)
    },
    close: () => database.close(),
  }
}
