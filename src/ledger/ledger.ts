import { CostLimitError, InsufficientCreditsError } from '../errors.ts'
import type { Ids } from '../ids.ts'
import { getAccount } from '../store/account-store.ts'
import type { Trx } from '../store/database.ts'
import {
  applyToAccount,
  countSpend,
  holdOnAccount,
  insertLedgerEntries,
  listEntriesOfGeneration,
  uncountSpend,
} from '../store/ledger-store.ts'
import type { LedgerEntryKind, LedgerEntryRow } from '../store/tables.ts'

/**
 * The only writer of balances. Money is held before a vendor is called, captured once for each image, and what is left
 * of a hold is released; entries are never edited. Every function works inside the caller's transaction.
 */
export type Ledger = {
  /** Throws InsufficientCreditsError or CostLimitError; the caller's transaction then rolls back as a whole. */
  hold(trx: Trx, hold: Hold): Promise<void>
  /** Ends a hold: captures for the images that were made, releases the rest. At most once a generation. */
  settle(trx: Trx, settlement: LedgerSettlement): Promise<void>
  grant(trx: Trx, grant: { accountId: string; amountMicros: number; note: string | null; now: number }): Promise<void>
  /** Gives back what an image was captured for or a part of it, by a new entry; never more, however often. */
  refund(
    trx: Trx,
    refund: {
      accountId: string
      generationId: string
      imageIndex: number
      amountMicros: number
      note: string
      now: number
    },
  ): Promise<void>
}

/** A cap beside the account's own: `key:<id>` by UTC day, `token:<id>` under day 0 for its whole life. */
export type SpendCap = { readonly scope: string; readonly day: number; readonly limitMicros: number }

export type Hold = {
  readonly accountId: string
  readonly generationId: string
  readonly amountMicros: number
  readonly caps: readonly SpendCap[]
  readonly now: number
}

export type LedgerSettlement = {
  readonly accountId: string
  readonly generationId: string
  readonly heldMicros: number
  /** Their sum is at most `heldMicros`. */
  readonly captures: readonly { readonly imageIndex: number; readonly amountMicros: number }[]
  /** UTC day of the hold. */
  readonly day: number
  readonly scopes: readonly { readonly scope: string; readonly day: number }[]
  readonly now: number
}

const DAY_MS = 86_400_000

/** Days since 1970 in UTC. */
export function utcDay(now: number): number {
  return Math.floor(now / DAY_MS)
}

/** The counters that a hold made under a key or a token counts in. */
export function spendScopes(
  caller: { apiKeyId: string | null; tokenId: string | null },
  day: number,
): { scope: string; day: number }[] {
  return [
    ...(caller.apiKeyId === null ? [] : [{ scope: `key:${caller.apiKeyId}`, day }]),
    ...(caller.tokenId === null ? [] : [{ scope: `token:${caller.tokenId}`, day: 0 }]),
  ]
}

export function createLedger({ ids }: { ids: Ids }): Ledger {
  const entry = (
    kind: LedgerEntryKind,
    values: Pick<LedgerEntryRow, 'accountId' | 'createdAt'> & Partial<LedgerEntryRow>,
  ): LedgerEntryRow => ({
    generationId: null,
    amountMicros: 0,
    heldMicros: 0,
    imageIndex: null,
    note: null,
    ...values,
    id: ids.next('ent'),
    kind,
  })

  return {
    async hold(trx, { accountId, generationId, amountMicros, caps, now }) {
      const day = utcDay(now)
      if (amountMicros > 0) {
        if (!(await holdOnAccount(trx, { accountId, amountMicros, day }))) {
          throw await explainRefusal(trx, { accountId, amountMicros, day })
        }
        for (const cap of caps) {
          if (!(await countSpend(trx, { ...cap, amountMicros }))) throw capError(amountMicros, cap)
        }
      }
      await insertLedgerEntries(trx, [
        entry('HOLD', { accountId, generationId, heldMicros: amountMicros, createdAt: now }),
      ])
    },

    async settle(trx, { accountId, generationId, heldMicros, captures, day, scopes, now }) {
      const captured = captures.reduce((sum, capture) => sum + capture.amountMicros, 0)
      const unspentMicros = heldMicros - captured
      if (unspentMicros < 0) throw new Error(`Captures of ${captured} are above the hold of ${heldMicros}.`)
      const entries = captures.map(({ imageIndex, amountMicros }) =>
        entry('CAPTURE', {
          accountId,
          generationId,
          imageIndex,
          amountMicros: 0 - amountMicros,
          heldMicros: 0 - amountMicros,
          createdAt: now,
        }),
      )
      if (unspentMicros > 0) {
        entries.push(entry('RELEASE', { accountId, generationId, heldMicros: -unspentMicros, createdAt: now }))
      }
      await insertLedgerEntries(trx, entries)
      if (heldMicros === 0) return
      await applyToAccount(trx, { accountId, amountMicros: -captured, heldMicros: -heldMicros, unspentMicros, day })
      for (const scope of scopes) await uncountSpend(trx, { ...scope, amountMicros: unspentMicros })
    },

    async grant(trx, { accountId, amountMicros, note, now }) {
      await insertLedgerEntries(trx, [entry('GRANT', { accountId, amountMicros, note, createdAt: now })])
      await applyToAccount(trx, { accountId, amountMicros, heldMicros: 0, unspentMicros: 0, day: 0 })
    },

    async refund(trx, { accountId, generationId, imageIndex, amountMicros, note, now }) {
      // First, since it holds the account: two refunds of one image come one after the other.
      await applyToAccount(trx, { accountId, amountMicros, heldMicros: 0, unspentMicros: 0, day: 0 })
      const entries = await listEntriesOfGeneration(trx, generationId)
      const chargedMicros = paidFor(entries, accountId, imageIndex)
      if (amountMicros <= 0 || amountMicros > chargedMicros) {
        throw new Error(`A refund of ${amountMicros} is not covered by the ${chargedMicros} that were charged.`)
      }
      await insertLedgerEntries(trx, [
        entry('REFUND', { accountId, generationId, imageIndex, amountMicros, note, createdAt: now }),
      ])
    },
  }
}

async function explainRefusal(
  trx: Trx,
  hold: { accountId: string; amountMicros: number; day: number },
): Promise<Error> {
  const account = await getAccount(trx, hold.accountId)
  const available = account.balanceMicros - account.heldMicros
  if (account.billing === 'PREPAID' && available < hold.amountMicros) {
    return new InsufficientCreditsError({ requiredMicros: hold.amountMicros, balanceMicros: available })
  }
  return new CostLimitError({
    message: "The request may cost more than is left of the account's limit for today (UTC).",
    estimateMicros: hold.amountMicros,
    limitMicros: account.dailySpendMicros ?? 0,
  })
}

/** What an image was captured for, less what was refunded of it. */
function paidFor(entries: readonly LedgerEntryRow[], accountId: string, imageIndex: number): number {
  return entries
    .filter((entry) => entry.accountId === accountId && entry.imageIndex === imageIndex)
    .reduce((paid, entry) => paid - entry.amountMicros, 0)
}

function capError(estimateMicros: number, cap: SpendCap): CostLimitError {
  const message = cap.scope.startsWith('token:')
    ? 'The request may cost more than is left of what this token may spend.'
    : "The request may cost more than is left of the key's limit for today (UTC)."
  return new CostLimitError({ message, estimateMicros, limitMicros: cap.limitMicros })
}
