import { z } from 'zod'
import type { PassingEvent } from './generation-event.ts'

/**
 * What processes tell one another. `RING`: something was committed, look at the log. Progress stands in no log and comes
 * whole, but for its text, which is a vendor's and may repeat the prompt. Previews stay where they are made: their picture
 * lies in the memory of that process, and elsewhere their address would lead to nothing.
 */
export type BusMessage =
  | { readonly from: string; readonly kind: 'RING' }
  | ({ readonly from: string; readonly kind: 'PROGRESS' } & Omit<PassingEvent, 'kind' | 'message' | 'preview'>)

/** The longest that is written has some 1,500 characters. */
const MAX_LENGTH = 4_096

const id = z.string().min(1).max(64)
const count = z.int().nonnegative()

const Message = z.discriminatedUnion('kind', [
  z.object({ from: id, kind: z.literal('RING') }),
  z.object({
    from: id,
    kind: z.literal('PROGRESS'),
    generationId: id,
    accountId: id,
    endUser: z.string().max(1_024).nullable(),
    sequence: count,
    progress: z.number().min(0).max(1).nullable(),
    at: count,
  }),
])

export function writeRing(from: string): string {
  return JSON.stringify({ from, kind: 'RING' } satisfies BusMessage)
}

export function writeProgress(from: string, { message: _, preview: __, ...event }: PassingEvent): string {
  return JSON.stringify({ from, ...event, kind: 'PROGRESS' } satisfies BusMessage)
}

/** undefined: no process of ours wrote it. Fields that are not known are left out, as a newer version may send them. */
export function readBusMessage(text: string): BusMessage | undefined {
  if (text.length > MAX_LENGTH) return undefined
  return Message.safeParse(parse(text)).data
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
