import type { PreviewReference } from './events/generation-event.ts'
import type { Image } from './generation/generation-types.ts'
import type { Retention } from './generation/retention.ts'
import type { GenerationReader, GenerationService, GenerationWatcher, ModelService } from './generation/services.ts'
import type { AccountService } from './identity/account-service.ts'
import type { Currency } from './ledger/currency.ts'
import type { Uploads } from './references/uploads.ts'
import type { Webhooks } from './webhooks/webhooks.ts'

/** Everything that a door may use, whether it speaks GraphQL, REST or another language. */
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

/** The picture as it is stored. */
export const ORIGINAL: ImageVariant = { width: null, height: null, fit: 'INSIDE', format: null, quality: null }

/** Pictures as callers see them: addresses and, when a client insists, bytes. */
export type ImageAccess = {
  /** InvalidInput where a side, quality or life is out of bounds. */
  url(image: Image, variant: ImageVariant, expiresInSeconds: number | null): string
  /** NOT_FOUND where the bytes are gone, UNAVAILABLE where too many variants are being made. */
  base64(image: Image, variant?: ImageVariant): Promise<string>
  previewUrl(preview: PreviewReference): string
  /** null: it has gone. */
  previewBase64(preview: PreviewReference): string | null
}
