import type { ProviderRequest } from '../provider.ts'
import { given } from '../wire/given.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { seedOfPart } from '../wire/part-seed.ts'
import { toDataUri } from '../wire/reference-image.ts'
import { sizeTextOf } from '../wire/size-text.ts'

/** The vendor's own limit. */
const MAX_SEED = 2 ** 31 - 1

/** One picture of a request: its body, and the seed in it. */
export type ArkOrder = { readonly body: JsonRecord; readonly seed: number | null }

/**
 * The requests, one a picture: `sequential_image_generation` would make a set of related pictures and choose their number
 * itself. Pictures are asked for as links, the vendor's default: the paid answer is then one small piece, and fetching the
 * picture is free to repeat. It is streamed where previews are wanted, since only a stream can bring any.
 */
export function planArkOrders(request: ProviderRequest): (index: number) => ArkOrder {
  const { parameters, referenceImages } = request
  const pictures = referenceImages.map(toDataUri)
  const shared = {
    model: request.modelName,
    prompt: request.prompt,
    ...given('size', sizeTextOf(parameters)),
    ...given('guidance_scale', parameters.guidanceScale),
    ...given('output_format', parameters.outputFormat?.toLowerCase() ?? null),
    ...given('watermark', parameters.watermark),
    ...given('image', pictures.length > 1 ? pictures : (pictures[0] ?? null)),
    response_format: 'url',
    ...(request.previews > 0 && { stream: true }),
  }
  return (index) => {
    const seed = seedOfPart(parameters.seed, index, MAX_SEED)
    return { body: { ...shared, ...given('seed', seed), ...parameters.providerOptions }, seed }
  }
}
