import { createHash } from 'node:crypto'
import type { ProviderRequest } from '../provider.ts'
import type { ComfyuiTemplate } from './comfyui-template.ts'

/**
 * What we name a run by, in the form of a UUID. It follows from the attempt, so that a run of which the answer was lost,
 * or the process that sent it, can be asked for.
 */
export function promptIdOf(attemptId: string, index: number): string {
  return toUuid(digestOf(`prompt ${attemptId} ${index}`))
}

/** One socket for an attempt, and the same one again when it is resumed. */
export function clientIdOf(attemptId: string): string {
  return toUuid(digestOf(`client ${attemptId}`))
}

/**
 * The caller's seed or a drawn one, and one more for each further run. null: the graph takes none. A drawn one has 31
 * bits, which every sampler takes, and follows from the attempt: it is the same after a crash.
 */
export function seedOf(
  { inputs }: ComfyuiTemplate,
  { parameters }: ProviderRequest,
  run: { readonly attemptId: string; readonly index: number },
): number | null {
  if (!inputs.seed) return null
  const first = parameters.seed ?? digestOf(`seed ${run.attemptId}`).readUInt32BE(0) >>> 1
  return first + run.index
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Version 8: bits of one's own. */
function toUuid(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16))
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
