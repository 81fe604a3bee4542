import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { RequestError } from '../errors.ts'
import type { BlobInfo, BlobStorage } from '../storage/blob-storage.ts'
import type { DirectDelivery } from '../storage/direct-delivery.ts'
import { imageTypeOfExtension, imageTypeOfMimeType } from '../storage/image-formats.ts'
import type { VariantCache } from '../storage/image-variants.ts'
import type { PreviewStore } from '../storage/preview-store.ts'
import type { UrlSigner, VerifiedImage, VerifiedPreview } from '../storage/signed-url.ts'
import { type Picture, type PictureBytes, type Refusal, sendPicture, sendRefusal } from './image-response.ts'

/** A stored image as the route needs it. */
export type ServedImage = {
  readonly id: string
  readonly generationId: string
  readonly accountId: string
  readonly blobKey: string
  readonly sha256: string
  readonly mimeType: string
  readonly sizeBytes: number
}

export type ImageRoutesDeps = {
  readonly storage: BlobStorage
  /** null, the default: stored images are sent from here. Variants and previews always are. */
  readonly delivery?: DirectDelivery | null
  readonly variants: VariantCache
  readonly previews: PreviewStore
  readonly signer: UrlSigner
  /** undefined: there is none, or it was deleted. */
  readonly findImage: (imageId: string) => Promise<ServedImage | undefined>
  /** What went wrong on our side, never shown to the client. */
  readonly onError?: (error: unknown) => void
  /** Once an answer is sent or its client gone. `kind` is one of a fixed set, fit for a label. */
  readonly onAnswer?: (answer: { kind: PictureKind; status: number }) => void
  /** A reader that takes nothing for so long is cut off. Default 60 seconds. */
  readonly stallTimeoutMs?: number
}

export type PictureKind = 'IMAGE' | 'VARIANT' | 'PREVIEW' | 'NONE'
export type ImageRoutes = (req: IncomingMessage, res: ServerResponse, url: URL) => Promise<void>

/** Serves everything below `/images/`. Never rejects: whatever happens, the client has its answer or is cut off. */
export function createImageRoutes(deps: ImageRoutesDeps): ImageRoutes {
  const { onError = () => undefined, onAnswer = () => undefined, stallTimeoutMs = 60_000 } = deps
  const explainAbsence = createAbsenceReport(deps)
  return async (req, res, url) => {
    let kind: PictureKind = 'NONE'
    res.setTimeout(stallTimeoutMs, () => res.destroy())
    try {
      const found = await findPicture({ ...deps, explainAbsence }, req, url)
      kind = found.kind
      await ('picture' in found ? sendPicture(req, res, found.picture) : sendRefusal(req, res, found.refusal))
    } catch (error) {
      if (res.headersSent) {
        res.destroy()
        if (!isClientGone(error)) onError(error)
      } else if (isOverload(error)) {
        sendRefusal(req, res, { status: 503, message: error.message, headers: { 'Retry-After': '1' } })
      } else {
        onError(error)
        sendRefusal(req, res, { status: 500, message: 'The picture cannot be shown because of a fault on our side.' })
      }
    } finally {
      onAnswer({ kind, status: res.statusCode })
    }
  }
}

type Finding = ImageRoutesDeps & { readonly explainAbsence: (image: ServedImage) => Promise<Refusal> }

/**
 * Bytes that are gone because the image was just deleted are no fault; those of an image that is still there are, and the
 * operator is told of each once, however often it is asked for.
 */
function createAbsenceReport({ findImage, onError = () => undefined }: ImageRoutesDeps): Finding['explainAbsence'] {
  const told = new Set<string>()
  return async ({ id }) => {
    if (!(await findImage(id))) return REFUSALS.UNKNOWN
    if (!told.has(id) && told.size < MAX_TOLD) {
      told.add(id)
      onError(new Error(`The bytes of ${id} are not in storage.`))
    }
    return REFUSALS.LOST
  }
}

const MAX_TOLD = 10_000

type Found = { readonly kind: PictureKind } & ({ readonly picture: Picture } | { readonly refusal: Refusal })

const REFUSALS = {
  UNKNOWN: { status: 404, message: 'There is no such picture.' },
  FORGED: { status: 403, message: 'This link was not made by this server, or was changed.' },
  EXPIRED: { status: 403, message: 'This link has expired. Ask for the image again to get a new one.' },
  LOST: {
    status: 410,
    message:
      "The bytes of this picture are gone from the server's storage. Only whoever runs the server can bring them back.",
  },
  METHOD: { status: 405, message: 'Pictures can only be fetched.', headers: { Allow: 'GET, HEAD' } },
} as const

const refuse = (reason: keyof typeof REFUSALS): Found => ({ kind: 'NONE', refusal: REFUSALS[reason] })

async function findPicture(deps: Finding, req: IncomingMessage, url: URL): Promise<Found> {
  const verdict = deps.signer.verify(url)
  if (verdict.kind !== 'UNKNOWN' && req.method !== 'GET' && req.method !== 'HEAD') return refuse('METHOD')
  switch (verdict.kind) {
    case 'IMAGE':
      return findStored(deps, verdict)
    case 'PREVIEW':
      return findPreview(deps, verdict)
    default:
      return refuse(verdict.kind)
  }
}

async function findStored(deps: Finding, verified: VerifiedImage): Promise<Found> {
  const { storage, delivery = null, variants, explainAbsence } = deps
  const image = await deps.findImage(verified.imageId)
  if (!image) return refuse('UNKNOWN')
  if (!deps.signer.isBoundTo(image, verified)) return refuse('FORGED')
  const { mimeType } = imageTypeOfExtension(verified.extension)
  const filename = `${image.id}.${verified.extension}`
  const { variant, secondsLeft } = verified
  const shared = { mimeType, filename, cacheControl: `private, max-age=${secondsLeft}, immutable` }
  if (!variant) {
    const { blobKey: key, sha256: etag, sizeBytes } = image
    const load = async (): Promise<PictureBytes> => ({
      sizeBytes,
      open: async (range) => (await storage.open(key, range)) ?? explainAbsence(image),
    })
    const elsewhere = delivery && (() => delivery.addressOf({ key, mimeType, filename, secondsLeft }))
    return { kind: 'IMAGE', picture: { ...shared, etag, load, ...(elsewhere && { elsewhere }) } }
  }
  const load = async (): Promise<PictureBytes | Refusal> => {
    const rendered: BlobInfo | undefined = await variants.render(image, variant)
    if (!rendered) return explainAbsence(image)
    const { sizeBytes } = rendered
    return { sizeBytes, open: async (range) => (await variants.open(rendered, range)) ?? explainAbsence(image) }
  }
  return { kind: 'VARIANT', picture: { ...shared, etag: variants.etagOf(image, variant), load } }
}

function findPreview(deps: ImageRoutesDeps, verified: VerifiedPreview): Found {
  const preview = deps.previews.get(verified.previewId)
  if (!preview) return refuse('UNKNOWN')
  const { bytes, mimeType } = preview
  const sizeBytes = bytes.byteLength
  return {
    kind: 'PREVIEW',
    picture: {
      etag: createHash('sha256').update(bytes).digest('hex'),
      mimeType,
      filename: `preview.${imageTypeOfMimeType(mimeType).extension}`,
      // Not immutable: the slot's next picture may answer under the same id.
      cacheControl: `private, max-age=${Math.min(60, verified.secondsLeft)}`,
      load: async () => ({
        sizeBytes,
        open: async (range) => {
          const part = bytes.subarray(range?.start ?? 0, (range?.end ?? sizeBytes) + 1)
          return { sizeBytes, stream: Readable.from([Buffer.from(part)], { objectMode: false }) }
        },
      }),
    },
  }
}

function isOverload(error: unknown): error is RequestError {
  return error instanceof RequestError && error.code === 'UNAVAILABLE'
}

const CLIENT_GONE = ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_UNABLE_TO_PIPE', 'ECONNRESET', 'EPIPE']

/** The browser closed the page or the stall timer fired: nobody is left to tell. */
function isClientGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CLIENT_GONE.includes(String(error.code))
}
