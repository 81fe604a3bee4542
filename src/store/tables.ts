import type { Generated, Selectable } from 'kysely'
import type { WebhookDeliveriesTable, WebhookEndpointsTable } from './webhook-tables.ts'

/**
 * The columns as both databases hold them. Times are milliseconds since 1970, money is micro-units, JSON is text that
 * the store of the aggregate reads and writes (never a plugin: a prompt that looks like JSON must stay text). Names are
 * camelCase so that a row is a record without a mapping.
 */
export type Tables = {
  accounts: AccountsTable
  apiKeys: ApiKeysTable
  providerKeys: ProviderKeysTable
  generations: GenerationsTable
  generationSecrets: GenerationSecretsTable
  generationTags: GenerationTagsTable
  idempotencyKeys: IdempotencyKeysTable
  attempts: AttemptsTable
  images: ImagesTable
  events: EventsTable
  ledgerEntries: LedgerEntriesTable
  spendCounters: SpendCountersTable
  jobs: JobsTable
  jobTurns: JobTurnsTable
  doomedBlobs: DoomedBlobsTable
  uploads: UploadsTable
  webhookEndpoints: WebhookEndpointsTable
  webhookDeliveries: WebhookDeliveriesTable
}

export type BillingMode = 'PREPAID' | 'METERED'

export type AccountsTable = {
  id: string
  name: string
  billing: BillingMode
  /** Sum of the ledger's `amountMicros`; kept here so that a hold is one guarded update. */
  balanceMicros: number
  /** Sum of the ledger's `heldMicros`: open holds. */
  heldMicros: number
  requestsPerMinute: number
  concurrentGenerations: number
  subscriptions: number
  dailySpendMicros: number | null
  /** UTC day (days since 1970) that `spentMicros` counts, and what was captured or is held in it. */
  spendDay: number
  spentMicros: number
  createdAt: number
}

export type ApiKeysTable = {
  id: string
  accountId: string
  name: string
  /** The first characters of the key, to tell keys apart on a screen. */
  prefix: string
  /** SHA-256 of the key, hex. Keys carry 256 random bits, so a slow hash would add nothing. */
  secretHash: string
  /** JSON list of scopes. */
  scopes: string
  dailySpendMicros: number | null
  createdAt: number
  lastUsedAt: number | null
  expiresAt: number | null
  revokedAt: number | null
}

/** A key for a provider that an account keeps here. */
export type ProviderKeysTable = {
  accountId: string
  provider: string
  /** Sealed by identity/secret-box.ts for this account and provider. */
  ciphertext: string
  /** The end of the key, to tell keys apart on a screen. */
  hint: string
  createdAt: number
}

export type GenerationStatus = 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELED'

/** Whose key pays the provider: the server's, the one that the account keeps, or the one that came with the request. */
export type KeySource = 'SERVER' | 'ACCOUNT' | 'REQUEST'

export type GenerationsTable = {
  id: string
  accountId: string
  endUser: string | null
  apiKeyId: string | null
  tokenId: string | null
  status: GenerationStatus
  /** Sequence of the latest event. */
  sequence: number
  /** The fence: written when an attempt begins or goes on, matched by each of its writes, cleared when it ends. */
  attemptToken: string | null
  /** Images stored so far. */
  imageCount: number
  /** 0 low, 1 normal, 2 high. */
  priority: number
  provider: string
  model: string
  /** Decided at admission for every attempt at this model. */
  keySource: KeySource
  requestedModel: string
  prompt: string
  negativePrompt: string | null
  count: number
  /** JSON GenerationParameters. */
  parameters: string
  /** JSON GenerationRequest: what was asked, for retries and fallbacks. */
  request: string
  /** JSON list of StoredInput: the pictures that go in, whose bytes lie under the generation's own prefix. */
  inputs: string
  /** JSON PriceSnapshot; null: the price was unknown. */
  price: string | null
  /** JSON list of warnings and of problems, JSON problem. */
  warnings: string
  problems: string
  error: string | null
  /** JSON list. */
  tags: string
  /** JSON value. */
  metadata: string | null
  estimateMinMicros: number | null
  estimateMaxMicros: number | null
  heldMicros: number
  chargedMicros: number | null
  providerReportedMicros: number | null
  /** UTC day that the hold counts in. */
  spendDay: number
  /** JSON token usage. */
  tokens: string | null
  parentId: string | null
  /** Where the caller wants to be told of this one generation. */
  webhookUrl: string | null
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
  deadlineAt: number | null
  deletedAt: number | null
}

/** The key that came with a request, as long as its generation has not ended. */
export type GenerationSecretsTable = {
  generationId: string
  accountId: string
  /** That the key is for; the generation may have gone on with another. */
  provider: string
  /** Sealed by identity/secret-box.ts for this generation. */
  ciphertext: string
}

export type GenerationTagsTable = { generationId: string; accountId: string; tag: string }

export type IdempotencyKeysTable = {
  accountId: string
  /** '' where there is none: part of the key, so that end users cannot meet each other's keys. */
  endUser: string
  key: string
  requestHash: string
  generationId: string
  createdAt: number
}

export type AttemptPhase = 'NOT_SENT' | 'SENT_UNKNOWN' | 'ACCEPTED' | 'DONE'
export type AttemptOutcome = 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELED' | 'ABANDONED'

export type AttemptsTable = {
  id: string
  generationId: string
  number: number
  provider: string
  model: string
  phase: AttemptPhase
  outcome: AttemptOutcome | null
  /** JSON problem. */
  problem: string | null
  providerRequestId: string | null
  /** JSON ProviderReference. */
  reference: string | null
  startedAt: number
  finishedAt: number | null
}

export type ImagesTable = {
  id: string
  generationId: string
  accountId: string
  imageIndex: number
  blobKey: string
  mimeType: string
  width: number
  height: number
  sizeBytes: number
  sha256: string
  thumbhash: string
  revisedPrompt: string | null
  seed: number | null
  createdAt: number
}

export type StoredEventKind = 'QUEUED' | 'STARTED' | 'IMAGE_READY' | 'RETRYING' | 'COMPLETED' | 'FAILED' | 'CANCELED'

export type EventsTable = {
  /** Order of writing, over all generations: the cursor of an account's feed. */
  position: Generated<number>
  generationId: string
  accountId: string
  endUser: string | null
  sequence: number
  kind: StoredEventKind
  status: GenerationStatus
  previousStatus: GenerationStatus | null
  /** With IMAGE_READY. */
  imageId: string | null
  message: string | null
  /** JSON problem. */
  problem: string | null
  at: number
}

export type LedgerEntryKind = 'GRANT' | 'HOLD' | 'CAPTURE' | 'RELEASE' | 'REFUND'

export type LedgerEntriesTable = {
  id: string
  accountId: string
  generationId: string | null
  kind: LedgerEntryKind
  /** Effect on the balance: grant and refund +, capture −, hold and release 0. */
  amountMicros: number
  /** Effect on the open holds: hold +, capture and release −, grant and refund 0. */
  heldMicros: number
  /** The image that a capture pays for. */
  imageIndex: number | null
  note: string | null
  createdAt: number
}

/** What a key (per UTC day) or a token (day 0: its whole life) has captured or holds. Rows only where a cap exists. */
export type SpendCountersTable = { scope: string; day: number; spentMicros: number }

export type JobsTable = {
  /** One job a generation: the generation's id. */
  generationId: string
  accountId: string
  provider: string
  model: string
  priority: number
  /** Place in the fair order; see queue/embedded-queue.ts. */
  turn: number
  enqueuedAt: number
  runAt: number
  claims: number
  leaseToken: string | null
  leaseExpiresAt: number | null
}

/** The last turn that each flow of jobs has taken; see queue/embedded-queue.ts. */
export type JobTurnsTable = { flow: string; turn: number }

/**
 * Bytes that no row needs and that are to be deleted at that moment or after it: written with the row's removal, worked
 * off after it. Bytes that are written before their row are doomed in advance, and pardoned by the row's transaction.
 */
export type DoomedBlobsTable = { prefix: string; doomedAt: number }

/** Pictures that wait to be used: gone when their time is over. */
export type UploadsTable = {
  id: string
  accountId: string
  endUser: string | null
  blobKey: string
  mimeType: string
  width: number
  height: number
  sizeBytes: number
  sha256: string
  createdAt: number
  expiresAt: number
}

export type DoomedBlobs = DoomedBlobsTable
export type AccountRow = Selectable<AccountsTable>
export type ApiKeyRow = Selectable<ApiKeysTable>
export type ProviderKeyRow = Selectable<ProviderKeysTable>
export type GenerationSecretRow = Selectable<GenerationSecretsTable>
export type GenerationRow = Selectable<GenerationsTable>
export type AttemptRow = Selectable<AttemptsTable>
export type ImageRow = Selectable<ImagesTable>
export type EventRow = Selectable<EventsTable>
export type LedgerEntryRow = Selectable<LedgerEntriesTable>
export type UploadRow = Selectable<UploadsTable>
export type JobRow = Selectable<JobsTable>
