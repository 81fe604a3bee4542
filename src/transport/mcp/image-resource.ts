import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import { RequestError } from '../../errors.ts'
import { ORIGINAL, type Services } from '../../services.ts'
import type { Call } from '../call.ts'
import type { ReadFailure } from '../call-failures.ts'
import { assertScope } from '../scope-check.ts'
import { NO_FILTER } from './history-filter.ts'
import { IMAGE_URI_TEMPLATE, imageUri } from './image-uri.ts'
import { describeFailure } from './tool-failure.ts'

/** As base64 in one message, held whole by either side. */
const MAX_BYTES = 8 * 1_048_576
/** Generations whose images are listed: the newest. */
const LISTED = 20

export type ResourceDeps = {
  readonly call: Pick<Call, 'viewer' | 'holdPictures'>
  readonly services: Services
  readonly readFailure: ReadFailure
}

/** Stored pictures as resources. */
export function registerImageResource(server: McpServer, deps: ResourceDeps): void {
  server.registerResource(
    'image',
    new ResourceTemplate(IMAGE_URI_TEMPLATE, { list: () => telling(deps, () => listImages(deps)) }),
    { title: 'Image', description: 'A stored picture of a generation, by the id of the image.' },
    (uri, { id }) => telling(deps, () => readImage(deps, uri.href, String(id))),
  )
}

async function listImages({ call: { viewer }, services }: ResourceDeps) {
  assertScope(viewer, 'resources/list', ['read'])
  const page = { filter: NO_FILTER, limit: LISTED, direction: 'forward', after: null, before: null } as const
  const { items } = await services.reader.history(viewer, page)
  const images = await services.reader.imagesOf(items.map(({ id }) => id))
  const inOrder = items.flatMap(({ id }) => images.filter(({ generationId }) => generationId === id))
  return {
    resources: inOrder.map(({ id, mimeType, sizeBytes }) => ({
      uri: imageUri(id),
      name: id,
      mimeType,
      size: sizeBytes,
    })),
  }
}

async function readImage({ call, services }: ResourceDeps, uri: string, id: string): Promise<ReadResourceResult> {
  assertScope(call.viewer, 'resources/read', ['read'])
  const [image] = await services.reader.findImages(call.viewer, [id])
  if (image === undefined) throw new ResourceNotFoundError(uri)
  if (image.sizeBytes > MAX_BYTES) {
    const message = `The picture has ${image.sizeBytes} bytes; ${MAX_BYTES} fit into a message. Fetch it at: ${services.images.url(image, ORIGINAL, null)}`
    throw new RequestError('BAD_USER_INPUT', message)
  }
  await call.holdPictures()
  return { contents: [{ uri, mimeType: image.mimeType, blob: await services.images.base64(image) }] }
}

/** Failures of resources are errors of the protocol; those that are one already pass. */
async function telling<Result>({ readFailure }: ResourceDeps, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    const { message, ...data } = describeFailure(readFailure(error))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, message, data)
  }
}
