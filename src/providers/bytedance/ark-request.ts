import type { ProviderRequest, ReferenceImage } from '../provider.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { seedOfPart } from '../wire/part-seed.ts'

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
  const { width, height } = parameters
  const pictures = referenceImages.map(toDataUri)
  const shared = {
    model: request.modelName,
    prompt: request.prompt,
    ...(width !== null && height !== null && { size: `${width}x${height}` }),
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

function toDataUri({ bytes, mimeType }: ReferenceImage): string {
  return `data:${mimeType};base64,${Buffer.from(bytes).toString('base64')}`
}

function given(name: string, value: unknown): JsonRecord {
  return value === null ? {} : { [name]: value }
}
