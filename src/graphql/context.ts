import type { PreviewReference } from '../events/generation-event.ts'
import type { Image } from '../generation/generation-types.ts'
import type { Retention } from '../generation/retention.ts'
import type { GenerationReader, GenerationService, GenerationWatcher, ModelService } from '../generation/services.ts'
import type { AccountService } from '../identity/account-service.ts'
import type { Currency } from '../ledger/currency.ts'
import type { Uploads } from '../references/uploads.ts'
import type { Viewer } from '../viewer.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'

/** Everything that a resolver may use. Built once per operation, the same for HTTP, SSE and WebSocket. */
export type Context = {
  readonly viewer: Viewer
  readonly services: Services
  readonly requestId: string
  /** The SSE request header: works like the argument `after` where that is not given. */
  readonly lastEventId: string | null
  /** Cursor of the event whose result is being written; the SSE writer makes it the `id:` line. */
  readonly stream: { cursor: string | null }
}

export type Services = {
  readonly generations: GenerationService
  readonly reader: GenerationReader
  readonly watcher: GenerationWatcher
  readonly models: ModelService
  readonly accounts: AccountService
  readonly images: ImageAccess
  readonly uploads: Pick<Uploads, 'create' | 'find'>
  readonly webhooks: Webhooks
  readonly retention: Pick<Retention, 'expiresAt'>
  readonly currency: Currency
}

export type ImageVariant = {
  readonly width: number | null
  readonly height: number | null
  readonly fit: 'INSIDE' | 'COVER' | 'CONTAIN'
  readonly format: 'PNG' | 'JPEG' | 'WEBP' | null
  readonly quality: number | null
}

/** Pictures as the schema sees them: addresses and, when a client insists, bytes. */
export type ImageAccess = {
  /** InvalidInput where a side, quality or life is out of bounds. */
  url(image: Image, variant: ImageVariant, expiresInSeconds: number | null): string
  base64(image: Image): Promise<string>
  previewUrl(preview: PreviewReference): string
}
