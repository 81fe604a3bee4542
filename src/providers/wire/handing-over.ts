import type { ProviderCall, ProviderImage, ProviderOutput } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'

/**
 * Hands over the images of one answer, in their order. One that cannot be read is the failure of its index, and that of
 * the whole call where it is the only one. `read` throws ProviderError.
 */
export async function handOverEach<Item>(
  given: { readonly items: readonly Item[]; readonly count: number; readonly call: ProviderCall },
  read: (item: Item, index: number) => Promise<ProviderImage> | ProviderImage,
): Promise<ProviderOutput['failures']> {
  const { items, count, call } = given
  const failures: { readonly imageIndex: number; readonly error: ProviderError }[] = []
  for (const [index, item] of items.slice(0, count).entries()) {
    const image = await readOne(item, index)
    if (!(image instanceof ProviderError)) await call.onImage(image)
    else if (count === 1) throw image
    else failures.push({ imageIndex: index, error: image })
  }
  return failures

  async function readOne(item: Item, index: number): Promise<ProviderImage | ProviderError> {
    try {
      return await read(item, index)
    } catch (error) {
      if (!(error instanceof ProviderError) || call.signal.aborted) throw error
      return error
    }
  }
}
