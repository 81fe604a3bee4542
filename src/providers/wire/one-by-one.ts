import type { ProviderCall, ProviderOutput, ProviderUsage } from '../provider.ts'
import { beginSending } from './begin-sending.ts'
import { assertWanted } from './call-failures.ts'
import { failuresOf, fanOut, sumUsage, throwIfAlone, valuesOf } from './fan-out.ts'
import { joinRequestIds } from './request-ids.ts'

/** What a call for one image came to, beside the image, which was handed over. */
export type PaintedOne = { readonly usage: ProviderUsage | null; readonly requestId: string | null }

const CALLS_AT_A_TIME = 4

/**
 * A request to a vendor that makes one image a call, and has no job that could be asked after. `paint` sends one call. Each
 * is announced before it is sent: where that fails the others are not sent behind our own back.
 */
export async function paintOneByOne(
  { count, call }: { readonly count: number; readonly call: ProviderCall },
  paint: (index: number, signal: AbortSignal) => Promise<PaintedOne>,
): Promise<ProviderOutput> {
  assertWanted(call.signal, false)
  const indexes = Array.from({ length: count }, (_, index) => index)
  const results = await fanOut(
    { indexes, concurrency: CALLS_AT_A_TIME, signal: call.signal },
    async (index, signal) => {
      await beginSending({ onSending: call.onSending, signal })
      return paint(index, signal)
    },
  )
  throwIfAlone(results, count)
  const painted = valuesOf(results)
  return {
    failures: failuresOf(results),
    usage: sumUsage(painted.map(({ usage }) => usage)),
    reportedUsdMicros: null,
    requestId: joinRequestIds(painted.map(({ requestId }) => requestId)),
  }
}
