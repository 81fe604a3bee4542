import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import { type ImageMimeType, sniffImageType } from './image-formats.ts'

export type Preview = {
  readonly generationId: string
  readonly bytes: Uint8Array
  readonly mimeType: ImageMimeType
}

/**
 * Provisional pictures, in memory only. Each generation and index has one slot, and the latest picture wins it. Every
 * picture has an id of its own, so that a client fetches it anew; an id from before answers with the slot's latest.
 */
export type PreviewStore = {
  /** The id to fetch it by; undefined: it is no picture or larger than the whole store, and is not kept. */
  put(preview: { generationId: string; index: number; bytes: Uint8Array }): string | undefined
  get(previewId: string): Preview | undefined
  deleteGeneration(generationId: string): void
  totalBytes(): number
}

export type PreviewStoreDeps = {
  readonly clock: Pick<Clock, 'now'>
  readonly ids: Pick<Ids, 'token'>
  /** From the latest picture of a slot on. */
  readonly ttlMs: number
  /** When full, the slots that have waited longest for a new picture go. */
  readonly maxBytes: number
}

type Slot = Preview & {
  readonly index: number
  readonly token: string
  readonly version: number
  readonly expiresAt: number
}

export function createPreviewStore(deps: PreviewStoreDeps): PreviewStore {
  const { clock, ids, ttlMs, maxBytes } = deps
  /** By token; the slot that was written least recently comes first, and so does the one that expires first. */
  const slots = new Map<string, Slot>()
  const tokensBySlotName = new Map<string, string>()
  let totalBytes = 0
  const remove = (slot: Slot) => {
    slots.delete(slot.token)
    tokensBySlotName.delete(slotName(slot))
    totalBytes -= slot.bytes.byteLength
  }
  const makeRoom = () => {
    for (const slot of slots.values()) {
      if (slot.expiresAt > clock.now() && totalBytes <= maxBytes) return
      remove(slot)
    }
  }
  return {
    put: ({ generationId, index, bytes }) => {
      const mimeType = sniffImageType(bytes)?.mimeType
      if (!mimeType || bytes.byteLength > maxBytes) return undefined
      const previous = slots.get(tokensBySlotName.get(slotName({ generationId, index })) ?? '')
      if (previous) remove(previous)
      const slot: Slot = {
        generationId,
        index,
        // A copy: a view of a larger buffer would keep all of that buffer alive.
        bytes: Uint8Array.from(bytes),
        mimeType,
        token: previous?.token ?? ids.token(),
        version: (previous?.version ?? 0) + 1,
        expiresAt: clock.now() + ttlMs,
      }
      slots.set(slot.token, slot)
      tokensBySlotName.set(slotName(slot), slot.token)
      totalBytes += slot.bytes.byteLength
      makeRoom()
      return `${slot.token}.${slot.version}`
    },
    get: (previewId) => {
      const slot = slots.get(previewId.slice(0, previewId.lastIndexOf('.')))
      return slot && slot.expiresAt > clock.now() ? slot : undefined
    },
    deleteGeneration: (generationId) => {
      for (const slot of [...slots.values()]) if (slot.generationId === generationId) remove(slot)
    },
    totalBytes: () => totalBytes,
  }
}

function slotName(slot: { generationId: string; index: number }): string {
  return `${slot.generationId}/${slot.index}`
}
