import { followToEnd, isEnd } from '../../generation/generation-end.ts'
import type { Generation, Image } from '../../generation/generation-types.ts'
import type { WatchedEvent } from '../../generation/services.ts'
import type { Hold } from '../call.ts'
import { formatEvent } from '../event-stream.ts'
import type { EndpointDeps, RestCall } from './endpoint.ts'
import { describeError } from './error-body.ts'
import { GenerationFailedError } from './generation-failed.ts'
import type { ImageRequest } from './generation-fields.ts'
import { GenerationOpenError } from './generation-open.ts'
import { describeForm, describeImage, describeUsage, pathOf, toSeconds } from './generation-view.ts'
import { describeProblem, describeWarning } from './problem-view.ts'

type StreamedEvent = { readonly type: string; readonly [more: string]: unknown }

/** Answers with the official events: previews as they come, each picture when it is stored, and an error as the last. */
export async function streamImages(call: RestCall, request: ImageRequest, deps: EndpointDeps): Promise<void> {
  const hold = await call.hold({ limitMs: null, transport: 'sse' })
  try {
    const { generation } = await deps.begin(call, request)
    call.releaseBody()
    await call.setLimitHeaders()
    call.response.setHeader('location', pathOf(generation.id))
    await call.writeEvents({
      events: tellImages(call, request, generation, hold, deps),
      format: (event: StreamedEvent) => formatEvent(event.type, event, null),
      formatError: (error) =>
        formatEvent('error', { type: 'error', ...describeError(error, { ...deps, ...request }).body }, null),
      farewell: '',
    })
  } finally {
    hold.release()
  }
}

async function* tellImages(
  call: RestCall,
  request: ImageRequest,
  begun: Generation,
  hold: Hold,
  deps: EndpointDeps,
): AsyncGenerator<StreamedEvent, void> {
  const bytes = request.responseFormat !== 'url'
  const teller = createTeller(call, request, deps)
  for await (const watched of followToEnd(deps.services.watcher, call.viewer, begun.id, hold.signal)) {
    if (isEnd(watched)) {
      if (bytes && watched.generation.status === 'COMPLETED') await call.holdPictures()
      yield* teller.tellEnd(watched.generation)
      return
    }
    if (!tellsOfPicture(watched)) continue
    // Until it is read: the next event is asked for when this one has left.
    const leave = bytes ? await call.holdPictures() : null
    try {
      const event = await teller.tell(watched)
      if (event) yield event
    } finally {
      leave?.()
    }
  }
  const endedBy = hold.endedBy()
  if (endedBy !== null && endedBy !== 'CLIENT') throw new GenerationOpenError(begun.id, endedBy)
}

function tellsOfPicture({ event }: WatchedEvent): boolean {
  return event.kind === 'IMAGE_READY' || event.kind === 'PREVIEW'
}

/**
 * One picture is always held back: what all of them used is known at the end, and stands in the last one's event alone, so
 * that whoever adds it up is right.
 */
function createTeller(call: RestCall, request: ImageRequest, { services }: EndpointDeps) {
  const { images, currency, reader } = services
  const bytes = request.responseFormat !== 'url'
  const prefix = request.kind === 'edits' ? 'image_edit' : 'image_generation'
  const previewsOf = new Map<number, number>()
  const told = new Set<string>()
  let held: Image | null = null

  async function completed(generation: Generation, image: Image, more: object): Promise<StreamedEvent> {
    const view = describeImage(images, image, bytes ? await images.base64(image) : null)
    const form = { ...describeForm(generation, view), created_at: toSeconds(image.createdAt) }
    const { id: image_id, index: image_index, ...rest } = view
    const about = { generation_id: generation.id, image_id, image_index }
    return { type: `${prefix}.completed`, ...rest, ...withDefaults(form), ...about, usage: null, ...more }
  }

  async function tellImage(generation: Generation, image: Image): Promise<StreamedEvent | null> {
    told.add(image.id)
    const before = held
    held = image
    return before && (await completed(generation, before, {}))
  }

  return {
    async tell({ event, generation }: WatchedEvent): Promise<StreamedEvent | null> {
      if (event.kind === 'IMAGE_READY' && 'imageId' in event && event.imageId !== null) {
        const [image] = await reader.findImages(call.viewer, [event.imageId])
        return image ? await tellImage(generation, image) : null
      }
      if (event.kind !== 'PREVIEW' || event.preview === null) return null
      const { preview } = event
      const b64_json = bytes ? images.previewBase64(preview) : null
      if (bytes && b64_json === null) return null
      const number = previewsOf.get(preview.index) ?? 0
      previewsOf.set(preview.index, number + 1)
      const form = { ...describeForm(generation, undefined), created_at: toSeconds(event.at) }
      const about = { generation_id: generation.id, image_index: preview.index, partial_image_index: number }
      return {
        type: `${prefix}.partial_image`,
        url: images.previewUrl(preview),
        b64_json,
        ...withDefaults(form),
        ...about,
      }
    },
    async *tellEnd(generation: Generation): AsyncGenerator<StreamedEvent, void> {
      const made = (await reader.imagesOf([generation.id])).toSorted((a, b) => a.imageIndex - b.imageIndex)
      for (const image of made.filter(({ id }) => !told.has(id))) {
        const event = await tellImage(generation, image)
        if (event) yield event
      }
      if (held === null) throw new GenerationFailedError(generation)
      yield await completed(generation, held, {
        usage: describeUsage(currency, generation),
        warnings: generation.warnings.map(describeWarning),
        problems: generation.problems.map(describeProblem),
      })
    },
  }
}

/** The official events say `auto` where nothing was settled. */
function withDefaults<Form extends { readonly quality: string | null; readonly background: string | null }>(
  form: Form,
) {
  return { ...form, quality: form.quality ?? 'auto', background: form.background ?? 'auto' }
}
