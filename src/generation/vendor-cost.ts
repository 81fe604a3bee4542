import type { PriceSnapshot } from '../ledger/price-snapshot.ts'
import { expectVendorCost } from '../ledger/pricing.ts'
import type { ProviderUsage } from '../providers/provider.ts'
import type { Trx } from '../store/database.ts'
import { listImagesOfGenerations } from '../store/image-store.ts'
import type { GenerationRow } from '../store/tables.ts'

/** Micro-units of the ledger's currency, without the markup. */
export type VendorCost = { readonly reportedMicros: number; readonly expectedMicros: number }

/** null: the vendor said nothing, or its price is not known here. */
export async function compareVendorCost(
  trx: Trx,
  row: GenerationRow,
  tokens: ProviderUsage | null,
): Promise<VendorCost | null> {
  if (row.providerReportedMicros === null || row.price === null) return null
  const price: PriceSnapshot = JSON.parse(row.price)
  const images = await listImagesOfGenerations(trx, [row.id])
  if (images.length === 0) return null
  return { reportedMicros: row.providerReportedMicros, expectedMicros: expectVendorCost(price, { images, tokens }) }
}
