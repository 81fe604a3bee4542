import type { ProviderCall, ProviderImage, ProviderOutput } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { assertWanted } from './call-failures.ts'

/**
 * Hands over the images of one answer, in their order, as long as they are wanted. One that cannot be read is the failure
 * of its index, and that of the whole call where it is the only one. What is more than `count` is nobody's. `read` throws
 * ProviderError.
 */
export async function handOverEach<Item>(
  given: {
    readonly items: readonly Item[]
    readonly count: number
    readonly call: ProviderCall
    /** Index of the first; 0 where the answer is all of the call. */
    readonly first?: number
    readonly signal?: AbortSignal
  },
  read: (item: Item, index: number) => Promise<ProviderImage> | ProviderImage,
): Promise<ProviderOutput['failures']> {
  const { items, count, call, first = 0, signal = call.signal } = given
  const failures: { readonly imageIndex: number; readonly error: ProviderError }[] = []
  for (const [place, item] of items.slice(0, count).entries()) {
    const image = await readOne(item, first + place)
    assertWanted(signal, true)
    if (!(image instanceof ProviderError)) await call.onImage(image)
    else if (count === 1) throw image
    else failures.push({ imageIndex: first + place, error: image })
  }
  return failures

  async function readOne(item: Item, index: number): Promise<ProviderImage | ProviderError> {
    try {
      return await read(item, index)
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      return error
    }
  }
}
