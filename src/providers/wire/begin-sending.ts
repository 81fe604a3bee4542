import type { ProviderCall } from '../provider.ts'
import { assertWanted } from './call-failures.ts'

/** Right before the first byte that costs money. Throws where nobody wants it any more, and whatever `onSending` throws. */
export async function beginSending(call: Pick<ProviderCall, 'signal' | 'onSending'>): Promise<void> {
  assertWanted(call.signal, false)
  await call.onSending()
  assertWanted(call.signal, true)
}
