export type TransportLimits = {
  /** What anybody may send, known or not. */
  readonly bodyBytes: number
  /** What a known caller may send: JSON with pictures as base64, and files. */
  readonly jsonBytes: number
  readonly uploadBytes: number
  /** Bodies above `bodyBytes` in memory at a time, of all and of one account, and those that wait for their turn. */
  readonly largeBodies: number
  readonly largeBodiesPerAccount: number
  readonly largeBodiesWaiting: number
  /** Of the text of an operation, in UTF-16 units: parsed documents are cached by it, so pictures have no place in it. */
  readonly documentLength: number
  readonly frameBytes: number
  readonly tokens: number
  readonly validationErrors: number
  readonly depth: number
  /** Fields of an operation with its fragments put in, each alias counted. */
  readonly fields: number
  readonly cost: number
  readonly mutationFields: number
  readonly executionMs: number
  readonly headersMs: number
  readonly requestMs: number
  readonly keepAliveMs: number
  /** How often Node looks for requests past their time. */
  readonly timeoutCheckMs: number
  /** From the opening of a WebSocket to its first message. */
  readonly initMs: number
  readonly pingMs: number
  /** At most this long does a connection outlive its revoked key. */
  readonly reauthenticateMs: number
  readonly operationsPerSocket: number
  readonly subscriptionsPerAccount: number
  /** How long a caller of a fixed call is kept waiting for the end of a generation. */
  readonly waitMs: number
  /** How long an SSE reader may take nothing while something waits for it. */
  readonly stallMs: number
}

export const DEFAULT_LIMITS: TransportLimits = Object.freeze({
  bodyBytes: 1_048_576,
  jsonBytes: 12 * 1_048_576,
  uploadBytes: 24 * 1_048_576,
  largeBodies: 8,
  largeBodiesPerAccount: 4,
  largeBodiesWaiting: 64,
  documentLength: 1_048_576,
  frameBytes: 262_144,
  tokens: 2_000,
  validationErrors: 10,
  depth: 15,
  fields: 1_000,
  cost: 5_000,
  mutationFields: 10,
  executionMs: 30_000,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 20_000,
  timeoutCheckMs: 2_000,
  initMs: 3_000,
  pingMs: 12_000,
  reauthenticateMs: 55_000,
  operationsPerSocket: 100,
  subscriptionsPerAccount: 1_000,
  waitMs: 300_000,
  stallMs: 30_000,
})
