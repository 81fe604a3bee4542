/** A model as data: what it can do, what it costs, how long it lives. No code per model anywhere. */

export const IMAGE_FORMATS = ['PNG', 'JPEG', 'WEBP'] as const
export type ImageFormat = (typeof IMAGE_FORMATS)[number]
export const IMAGE_BACKGROUNDS = ['AUTO', 'OPAQUE', 'TRANSPARENT'] as const
export type ImageBackground = (typeof IMAGE_BACKGROUNDS)[number]
export const LIFECYCLE_STATES = ['PREVIEW', 'ACTIVE', 'DEPRECATED', 'RETIRED'] as const
export type LifecycleState = (typeof LIFECYCLE_STATES)[number]
export const PRICE_UNITS = [
  'IMAGE',
  'MEGAPIXEL',
  'FIRST_MEGAPIXEL',
  'FURTHER_MEGAPIXEL',
  'INPUT_MEGAPIXEL',
  'INPUT_IMAGE',
  'MILLION_INPUT_TOKENS',
  'MILLION_IMAGE_INPUT_TOKENS',
  'MILLION_OUTPUT_TOKENS',
  'MILLION_IMAGE_OUTPUT_TOKENS',
] as const
export type PriceUnit = (typeof PRICE_UNITS)[number]

export type Model = {
  /** `provider/name`. */
  readonly id: string
  readonly provider: string
  /** The provider's own name, sent on the wire. */
  readonly providerModel: string
  readonly name: string
  readonly description: string | null
  readonly aliases: readonly ModelAlias[]
  readonly lifecycle: Lifecycle
  readonly capabilities: ModelCapabilities
  /**
   * Of `capabilities.outputFormats`, those that the provider can be asked for. Any other is converted here from what it
   * makes. Empty: it cannot be asked.
   */
  readonly nativeFormats: readonly ImageFormat[]
  /** Facts that only the provider's adapter reads: field names, forms of the call, graph templates. Plain JSON. */
  readonly wire: Readonly<Record<string, unknown>>
  /** Empty: the price is unknown, which is null to clients and never 0. */
  readonly prices: readonly PriceRule[]
  /** How many tokens a request uses, for models priced by token. */
  readonly tokenEstimates: readonly TokenEstimate[]
}

export type ModelAlias = {
  readonly name: string
  /** Parameters that the alias stands for, e.g. an aspect ratio; the caller's own must not contradict them. */
  readonly parameters: { readonly aspectRatio?: string; readonly size?: string; readonly quality?: string }
}

export type Lifecycle = {
  readonly state: LifecycleState
  /** Milliseconds since 1970. */
  readonly retiresAt: number | null
  /** Model id. */
  readonly replacement: string | null
  readonly note: string | null
}

export type SizeRange = { readonly min: number; readonly max: number; readonly multipleOf: number }

export type ModelCapabilities = {
  /** `WxH`. Empty: free within the ranges below. */
  readonly sizes: readonly string[]
  readonly aspectRatios: readonly string[]
  readonly width: SizeRange | null
  readonly height: SizeRange | null
  readonly maxPixels: number | null
  readonly minPixels: number | null
  /** Used when the caller names no size; null: the provider decides. */
  readonly defaultSize: string | null
  readonly maxCount: number
  /** In Unicode code points. */
  readonly maxPromptLength: number | null
  readonly qualities: readonly string[]
  readonly defaultQuality: string | null
  readonly styles: readonly string[]
  readonly outputFormats: readonly ImageFormat[]
  readonly backgrounds: readonly ImageBackground[]
  readonly outputCompression: boolean
  readonly seed: boolean
  /** The largest seed; null: as large as can be. */
  readonly maxSeed: number | null
  readonly negativePrompt: boolean
  readonly guidanceScale: boolean
  /** null: not stated. */
  readonly guidanceScaleRange: { readonly min: number; readonly max: number } | null
  readonly enhancePrompt: boolean
  readonly watermark: boolean
  /** A model that only edits needs at least one. */
  readonly minReferenceImages: number
  readonly maxReferenceImages: number
  readonly mask: boolean
  readonly maxPreviews: number
  readonly progress: boolean
  /** JSON Schema of `providerOptions`; null: takes none. */
  readonly providerOptions: Readonly<Record<string, unknown>> | null
}

/** Of what is no model, and what a catalogue starts from: what it leaves out is not declared. */
export const NO_CAPABILITIES: ModelCapabilities = {
  sizes: [],
  aspectRatios: [],
  width: null,
  height: null,
  maxPixels: null,
  minPixels: null,
  defaultSize: null,
  maxCount: 0,
  maxPromptLength: null,
  qualities: [],
  defaultQuality: null,
  styles: [],
  outputFormats: [],
  backgrounds: [],
  outputCompression: false,
  seed: false,
  maxSeed: null,
  negativePrompt: false,
  guidanceScale: false,
  guidanceScaleRange: null,
  enhancePrompt: false,
  watermark: false,
  minReferenceImages: 0,
  maxReferenceImages: 0,
  mask: false,
  maxPreviews: 0,
  progress: false,
  providerOptions: null,
}

/** One price. `size` and `quality` null: whatever they are. The most specific rule of a unit wins. */
export type PriceRule = {
  readonly unit: PriceUnit
  readonly size: string | null
  readonly quality: string | null
  /** Decimal text in US dollars, up to nine places, as the vendor states it. */
  readonly usd: string
  /** Milliseconds since 1970: when the price was last checked. */
  readonly asOf: number
  readonly source: string
}

export type TokenUnit = Extract<PriceUnit, `MILLION_${string}`>

/**
 * Tokens of one image; `size` and `quality` null: whatever they are. The upper bound is what is held. What depends on
 * the request is added to `min` and `max`.
 */
export type TokenEstimate = {
  readonly size: string | null
  readonly quality: string | null
  readonly unit: TokenUnit
  readonly min: number
  readonly max: number
  /** Patches along the long side, where the tokens follow from the size; see `ledger/token-estimate.ts`. */
  readonly grid?: { readonly min: number; readonly max: number }
  /** Tokens for each byte of the prompts in UTF-8. */
  readonly perPromptByte?: { readonly min: number; readonly max: number }
  readonly perReferenceImage?: { readonly min: number; readonly max: number }
  readonly perPreview?: number
}

/** What is really asked of the provider, after defaults and adjustments. null: the provider decides. */
export type GenerationParameters = {
  readonly width: number | null
  readonly height: number | null
  readonly aspectRatio: string | null
  readonly quality: string | null
  readonly style: string | null
  readonly background: ImageBackground | null
  readonly outputFormat: ImageFormat | null
  readonly outputCompression: number | null
  readonly seed: number | null
  readonly guidanceScale: number | null
  readonly enhancePrompt: boolean | null
  readonly watermark: boolean | null
  readonly referenceImages: number
  readonly providerOptions: Readonly<Record<string, unknown>> | null
}
