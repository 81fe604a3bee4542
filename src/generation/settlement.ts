import type { Clock } from '../clock.ts'
import type { Currency } from '../ledger/currency.ts'
import { type Ledger, spendScopes } from '../ledger/ledger.ts'
import type { PriceSnapshot } from '../ledger/price-snapshot.ts'
import { settle as settlePrice } from '../ledger/pricing.ts'
import type { ProviderUsage } from '../providers/provider.ts'
import type { JobQueue } from '../queue/job-queue.ts'
import type { Trx } from '../store/database.ts'
import { deleteGenerationSecret } from '../store/generation-secret-store.ts'
import { updateGeneration } from '../store/generation-store.ts'
import { listImagesOfGenerations } from '../store/image-store.ts'
import type { GenerationRow, GenerationStatus, ImageRow } from '../store/tables.ts'
import type { AppendEvent } from './event-log.ts'
import { assertTransition } from './generation-state.ts'
import type { Problem, TokenUsage } from './generation-types.ts'
import { toJson } from './records.ts'

/** How a generation ends. What was made is kept and paid whatever the reason; what was not is listed and released. */
export type Ending = {
  /** Where there is no image. With at least one the generation is COMPLETED: partial success is a result. */
  readonly without: 'FAILED' | 'CANCELED'
  readonly problems: readonly Problem[]
  readonly usage: ProviderUsage | null
  readonly reportedUsdMicros: number | null
  /** Set by a worker: the ending counts only while it holds the fence. */
  readonly attemptToken?: string
}

/** The one way to a terminal state: images counted, captures and release, status, event and job in one transaction. */
export type Settlement = {
  /** undefined: it had ended already or the fence is lost, and nothing was changed. */
  end(trx: Trx, append: AppendEvent, row: GenerationRow, ending: Ending): Promise<GenerationRow | undefined>
}

export function createSettlement(deps: {
  ledger: Ledger
  queue: JobQueue
  currency: Currency
  clock: Clock
}): Settlement {
  const { ledger, queue, currency, clock } = deps

  return {
    async end(trx, append, row, ending) {
      const now = clock.now()
      const images = await listImagesOfGenerations(trx, [row.id])
      const status: GenerationStatus = images.length > 0 ? 'COMPLETED' : ending.without
      assertTransition(row.status, status)
      const captures = priceOf(row, images, ending.usage)
      const chargedMicros = captures.reduce((sum, capture) => sum + capture.amountMicros, 0)
      const ended = await markEnded(trx, row, ending, { status, chargedMicros, now })
      if (ended === undefined) return undefined
      await ledger.settle(trx, {
        accountId: row.accountId,
        generationId: row.id,
        heldMicros: row.heldMicros,
        captures,
        day: row.spendDay,
        scopes: spendScopes(row, row.spendDay),
        now,
      })
      await queue.finish(trx, row.id)
      await deleteGenerationSecret(trx, row.id)
      const problem = status === 'COMPLETED' ? undefined : ending.problems[0]
      await append(trx, ended, {
        kind: status,
        previousStatus: row.status,
        at: now,
        ...(problem && { problem }),
        moved: [
          { kind: 'captured', amountMicros: chargedMicros },
          { kind: 'released', amountMicros: row.heldMicros - chargedMicros },
        ],
      })
      return ended
    },
  }

  /** undefined: nothing was changed. */
  function markEnded(
    trx: Trx,
    row: GenerationRow,
    { attemptToken, problems, reportedUsdMicros, usage }: Ending,
    { status, chargedMicros, now }: { status: GenerationStatus; chargedMicros: number; now: number },
  ): Promise<GenerationRow | undefined> {
    const fence = attemptToken === undefined ? {} : { attemptToken }
    return updateGeneration(
      trx,
      { id: row.id, from: [row.status], ...fence },
      {
        status,
        attemptToken: null,
        problems: JSON.stringify(problems),
        error: status === 'FAILED' ? toJson(problems[0]) : null,
        heldMicros: 0,
        chargedMicros,
        providerReportedMicros: reportedUsdMicros === null ? null : currency.reportedToMicros(reportedUsdMicros),
        tokens: toJson(toTokenUsage(usage)),
        finishedAt: now,
      },
    )
  }

  /** One capture an image, by the prices that the client was shown. */
  function priceOf(row: GenerationRow, images: readonly ImageRow[], usage: ProviderUsage | null) {
    const price: PriceSnapshot | null = row.price === null ? null : JSON.parse(row.price)
    const { perImageMicros } =
      price === null
        ? { perImageMicros: [] }
        : settlePrice(price, { heldMicros: row.heldMicros, images, tokens: usage })
    return images.map((image, place) => ({
      imageIndex: image.imageIndex,
      amountMicros: perImageMicros[place] ?? 0,
    }))
  }
}

function toTokenUsage(usage: ProviderUsage | null): TokenUsage | null {
  if (usage === null) return null
  const { inputTokens, imageInputTokens, outputTokens, imageOutputTokens, totalTokens: total } = usage
  const input = inputTokens === null && imageInputTokens === null ? null : (inputTokens ?? 0) + (imageInputTokens ?? 0)
  const output =
    outputTokens === null && imageOutputTokens === null ? null : (outputTokens ?? 0) + (imageOutputTokens ?? 0)
  return { input, output, total }
}
