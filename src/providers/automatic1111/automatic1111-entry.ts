import type { JsonRecord } from '../wire/json-values.ts'
import { assertKnownKeys, faultOf, readTextAt, readWordAt } from '../wire/wire-fault.ts'

/**
 * A model of an AUTOMATIC1111 or Forge server. `wire` of its catalogue entry, of which everything may be left out:
 *
 * | key | shape | meaning |
 * | --- | --- | --- |
 * | `checkpoint` | text or `true` | the checkpoint that paints; `true`: the entry's `providerModel`. The server's own choice is put back afterwards. Left out: whichever is loaded |
 * | `batch` | `batch_size` or `n_iter` | how several images are made: at once, or one after the other with less memory. Left out: `batch_size` |
 *
 * What a model may be asked for beside its prompt: negative prompt, seed, guidance scale, width and height in steps of 8,
 * `style` (a saved style of the server), one reference image (img2img), a mask (inpainting). Everything else, such as
 * `steps`, `sampler_name`, `scheduler` or `denoising_strength`, goes through `capabilities.providerOptions` under the
 * server's own field names. Images are PNG.
 */
export type Automatic1111Entry = {
  /** null: whichever is loaded. */
  readonly checkpoint: string | true | null
  readonly batch: 'batch_size' | 'n_iter'
}

/** What is wrong with a `wire` object, with its key; null: nothing. */
export function findAutomatic1111Fault(wire: JsonRecord): string | null {
  return faultOf(() => readEntry(wire))
}

/** Throws WireFault. */
export function readEntry(wire: JsonRecord): Automatic1111Entry {
  assertKnownKeys(wire, ['checkpoint', 'batch'], 'wire')
  const { checkpoint = null, batch } = wire
  return {
    checkpoint: checkpoint === null || checkpoint === true ? checkpoint : readTextAt(checkpoint, 'wire.checkpoint'),
    batch: readWordAt(batch, ['batch_size', 'n_iter'], 'wire.batch') ?? 'batch_size',
  }
}
