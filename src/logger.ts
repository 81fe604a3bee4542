import { pino, stdSerializers, stdTimeFunctions } from 'pino'
import { prettyFactory } from 'pino-pretty'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type LogFields = Readonly<Record<string, unknown>>

/** Structured lines: what happened goes into `message`, what it happened to goes into `fields`. */
export type Logger = {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** A logger whose every line carries these fields. */
  child(fields: LogFields): Logger
}

/** Where finished lines go, each with its line break. */
export type LogDestination = { write(line: string): void }

/** A `Secret`, of which a base file knows no more. */
type Revealed = { reveal(): string }

export type LoggerOptions = {
  readonly level: LogLevel
  /** Those that this process holds: they are cut out wherever they stand, whatever they look like. */
  readonly secrets?: readonly Revealed[]
  /** Default: standard output. */
  readonly destination?: LogDestination
  /** Coloured text for people instead of JSON lines. Default: whether standard output is a terminal. */
  readonly pretty?: boolean
}

const CENSOR = '[secret]'

/** Field names whose value never belongs in a log, at the top or one level down. */
const SECRET_FIELDS = [
  'authorization',
  'apiKey',
  'providerApiKey',
  'secret',
  'password',
  'token',
  'accessToken',
  'cookie',
]

/** Last line of defence behind `Secret` and the field names: whatever looks like a credential in a finished line. */
const SECRET_PATTERNS: readonly RegExp[] = [
  /\b(?:pk|sk|rk|r8|whsec)[-_][\w-]{8,}/g,
  /\bAIza[\w-]{20,}/g,
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g,
  /(?<=\bBearer\s+)[\w.~+/:=-]{8,}/gi,
  /(?<=\bBasic\s+)[\w+/=]{16,}/gi,
  /(?<=[?&](?:key|api_key|token|access_token|sig|signature)=)[^&\s"\\]+/gi,
  // The password in the address of a database.
  /(?<=\w:\/\/[^\s:@/"]*:)[^\s@/"]+(?=@)/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}:[0-9a-f]{16,}/gi,
]

export function scrubSecrets(text: string, known: readonly string[] = []): string {
  const withoutKnown = known.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, CENSOR), text)
  return SECRET_PATTERNS.reduce((scrubbed, pattern) => scrubbed.replace(pattern, CENSOR), withoutKnown)
}

/** What is shorter is no secret, and would be found in words that are none. */
const MIN_SECRET_LENGTH = 8

/** As they would stand in a line of JSON. */
function spellSecrets(secrets: readonly Revealed[]): readonly string[] {
  const texts = secrets.map((secret) => secret.reveal()).filter((text) => text.length >= MIN_SECRET_LENGTH)
  return [...new Set(texts.flatMap((text) => [JSON.stringify(text).slice(1, -1), text]))]
}

export function createLogger(options: LoggerOptions): Logger {
  const lines = options.destination ?? pino.destination({ dest: 1, sync: true })
  const known = spellSecrets(options.secrets ?? [])
  const scrubbed = { write: (line: string) => void lines.write(scrubSecrets(line, known)) }
  const pretty = options.pretty ?? (options.destination === undefined && process.stdout.isTTY === true)
  const stream = pretty ? prettyStream(scrubbed) : scrubbed
  return wrap(
    pino(
      {
        level: options.level,
        base: null,
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (level) => ({ level }) },
        serializers: { error: stdSerializers.err },
        redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: CENSOR },
      },
      stream,
    ),
  )
}

function prettyStream(lines: LogDestination): LogDestination {
  const format = prettyFactory({
    colorize: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
    singleLine: true,
  })
  return { write: (line) => lines.write(format(line)) }
}

type PinoLike = {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): PinoLike
}

function wrap(target: PinoLike): Logger {
  return {
    debug: (fields, message) => target.debug(fields, message),
    info: (fields, message) => target.info(fields, message),
    warn: (fields, message) => target.warn(fields, message),
    error: (fields, message) => target.error(fields, message),
    child: (fields) => wrap(target.child(fields)),
  }
}
