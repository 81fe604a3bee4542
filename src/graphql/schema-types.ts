import type { AppError, FieldProblem, ModelUnavailableReason } from '../errors.ts'
import type { LaggedEvent, PassingEvent, PreviewReference, StoredEvent } from '../events/generation-event.ts'
import type {
  Attempt,
  Generation,
  GenerationPriority,
  Image,
  Problem,
  ProblemCode,
  ProblemStage,
  TokenUsage,
  Warning,
} from '../generation/generation-types.ts'
import type { GenerateImageFields, JsonValue, ReferenceImageFields } from '../generation/given-input.ts'
import type {
  CancelEffect,
  DurationRange,
  Estimate,
  HistoryFilter,
  HistoryResult,
  MicrosRange,
  ProviderHealth,
  ProviderSummary,
  QueuePlace,
  UsageBucket,
  UsageGroup,
} from '../generation/services.ts'
import type { Account, ApiKey, ProviderKey } from '../identity/account-types.ts'
import type { Money } from '../ledger/currency.ts'
import type { CostLine } from '../ledger/pricing.ts'
import type {
  GenerationParameters,
  ImageBackground,
  ImageFormat,
  Lifecycle,
  LifecycleState,
  Model,
  ModelCapabilities,
  PriceRule,
  PriceUnit,
  SizeRange,
} from '../providers/model.ts'
import type { Upload, UploadedFile } from '../references/uploads.ts'
import type { Secret } from '../secret.ts'
import type { ImageVariant } from '../services.ts'
import type { Viewer } from '../viewer.ts'
import type { WebhookDelivery, WebhookEndpoint } from '../webhooks/webhook-types.ts'
import type { Context } from './context.ts'

/**
 * What stands behind each GraphQL type. Nouns refer to one another by name, so that no file has to import another for
 * it, and the schema can be built any number of times.
 */
export type SchemaTypes = {
  Context: Context
  DefaultFieldNullability: false
  DefaultAuthStrategy: 'any'
  AuthScopes: { generate: boolean; read: boolean; admin: boolean }
  Scalars: Scalars & Enums
  Inputs: { GenerateImageInput: GenerateImageFields; ReferenceImageInput: ReferenceImageFields }
  Interfaces: { Node: Node; UserError: AppError }
  Objects: Objects
}

/** Times are milliseconds since 1970 inside, and RFC 3339 text outside. */
type Scalars = {
  ID: { Input: string; Output: string }
  DateTime: { Input: number; Output: number }
  Decimal: { Input: string; Output: string }
  SafeInt: { Input: number; Output: number }
  URL: { Input: string; Output: string }
  JSON: { Input: JsonValue; Output: unknown }
  /** Only ever taken. */
  File: { Input: UploadedFile; Output: never }
  Secret: { Input: Secret; Output: never }
}

type Both<T> = { Input: T; Output: T }
type Enums = {
  AttemptOutcome: Both<NonNullable<Attempt['outcome']>>
  AttemptPhase: Both<Attempt['phase']>
  BillingMode: Both<Account['billing']>
  CancelEffect: Both<CancelEffect>
  GenerationPriority: Both<GenerationPriority>
  GenerationStatus: Both<Generation['status']>
  HealthState: Both<ProviderHealth['state']>
  ImageBackground: Both<ImageBackground>
  ImageFit: Both<ImageVariant['fit']>
  ImageFormat: Both<ImageFormat>
  ImageStatusEventKind: Both<StatusEvent['event']['kind']>
  LifecycleState: Both<LifecycleState>
  ModelUnavailableReason: Both<ModelUnavailableReason>
  PriceUnit: Both<PriceUnit>
  ProblemCode: Both<ProblemCode>
  ProblemStage: Both<ProblemStage>
  UsageGroup: Both<UsageGroup>
  WebhookDeliveryState: Both<WebhookDelivery['state']>
  WebhookEndpointState: Both<WebhookEndpoint['state']>
  WebhookEventType: Both<WebhookDelivery['event']>
}

type Objects = {
  Account: Account
  AccountLimits: Account
  ApiKey: ApiKey
  Attempt: Attempt
  CancelGenerationSuccess: { readonly generation: Generation; readonly effect: CancelEffect }
  CostEstimate: Estimate
  CostLine: CostLine
  CreateApiKeySuccess: { readonly apiKey: ApiKey; readonly secret: string }
  CreateWebhookEndpointSuccess: { readonly endpoint: WebhookEndpoint; readonly signingSecret: string }
  CreateTokenSuccess: { readonly accessToken: string; readonly expiresAt: number }
  DeleteGenerationSuccess: { readonly id: string }
  DeleteWebhookEndpointSuccess: { readonly id: string }
  DurationRange: DurationRange
  FieldProblem: FieldProblem
  FloatRange: { readonly min: number; readonly max: number }
  GenerateImageSuccess: {
    readonly generation: Generation
    readonly replayed: boolean
    readonly webhookUrl: string | null
  }
  Generation: Generation
  GenerationCost: Generation
  GenerationParameters: GenerationParameters
  GenerationProblem: Problem
  HistoryConnection: HistoryConnection
  HistoryEdge: Generation
  Image: Image
  ImagePreview: PreviewReference
  ImageStatusEvent: StatusEvent
  Lifecycle: Lifecycle
  Model: Model
  ModelCapabilities: ModelCapabilities
  Money: Money
  MoneyRange: MicrosRange
  PageInfo: PageInfo
  Price: PriceRule
  Provider: ProviderSummary
  ProviderHealth: ProviderHealth
  ProviderKey: ProviderKey
  QueuePlace: QueuePlace
  RedeliverWebhookSuccess: { readonly delivery: WebhookDelivery }
  RemoveProviderKeySuccess: { readonly provider: string }
  RevokeApiKeySuccess: { readonly apiKey: ApiKey }
  RotateWebhookSecretSuccess: {
    readonly endpoint: WebhookEndpoint
    readonly signingSecret: string
    readonly previousSecretExpiresAt: number
  }
  SetProviderKeySuccess: { readonly providerKey: ProviderKey }
  SizeRange: SizeRange
  TokenUsage: TokenUsage
  Upload: Upload
  UploadImageSuccess: { readonly upload: Upload }
  UpdateWebhookEndpointSuccess: { readonly endpoint: WebhookEndpoint }
  UsageBucket: UsageBucket
  Viewer: Viewer
  Warning: Warning
  WebhookDelivery: WebhookDelivery
  WebhookDeliveryConnection: WebhookDeliveryConnection
  WebhookDeliveryEdge: WebhookDelivery
  WebhookEndpoint: WebhookEndpoint
}

export type Node =
  | Account
  | ApiKey
  | Attempt
  | Generation
  | Image
  | Model
  | ProviderSummary
  | Upload
  | WebhookDelivery
  | WebhookEndpoint

/** An event as a watcher gets it, or as `Generation.events` lists it. */
export type StatusEvent = {
  readonly event: StoredEvent | PassingEvent | LaggedEvent
  readonly cursor: string
  /** Of the last stored event that this watcher got. */
  readonly sequence: number
  readonly generation: Generation
}

export type HistoryConnection = HistoryResult & { readonly filter: HistoryFilter }
export type WebhookDeliveryConnection = {
  readonly items: readonly WebhookDelivery[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
}
export type PageInfo = {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}
