import { resolve } from 'node:path'
import { z } from 'zod'
import {
  apiKey,
  days,
  decimal,
  list,
  networks,
  onOff,
  origins,
  perMinute,
  previousSecrets,
  redisUrl,
  webUrl,
  wholeNumber,
} from './config-fields.ts'
import { readStorage, type StorageConfig, storagePublicUrl, storageUrl } from './config-storage.ts'
import { Secret } from './secret.ts'

/** The environment as one frozen, validated value: nothing else reads `process.env`. */
export type Config = {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  /** `sqlite:<path>` or `postgres://…`. */
  readonly databaseUrl: string
  readonly storage: StorageConfig
  /** `redis://…`, maybe with a password; null: other processes are not told of events. */
  readonly redisUrl: Secret | null
  /** null: from host and port. */
  readonly publicUrl: string | null
  readonly roles: readonly ('api' | 'worker')[]
  readonly auth: 'auto' | 'required'
  /** null: generated into the data directory. */
  readonly secret: Secret | null
  /** Earlier ones: what was encrypted under them can still be read. They sign nothing. */
  readonly previousSecrets: readonly Secret[]
  readonly currency: {
    readonly code: string
    readonly usdRate: string
    readonly markup: string
    readonly credit: string
  }
  readonly unknownOutcome: 'fail' | 'retry-once'
  /** Providers that are told to call back. `auto`: those that surely can, where `publicUrl` is one for strangers. */
  readonly callbacks: 'auto' | readonly string[]
  readonly catalogFile: string | null
  /** How long after its end a generation is deleted; null: never. */
  readonly retentionMs: number | null
  /** By the vendor: the server's own key, null where there is none, and where calls go. */
  readonly vendors: Readonly<Record<Vendor, VendorConfig>>
  /** Keys of engines that the catalogue file names, by `PICTOR_KEY_<ID>`. */
  readonly engineKeys: ReadonlyMap<string, Secret>
  readonly defaultModel: string
  readonly allowedOrigins: readonly string[]
  readonly allowedHosts: readonly string[]
  /** Of the operator's own network: webhooks may go there although it is not public. */
  readonly webhookOrigins: readonly string[]
  /** Addresses, and networks such as `10.0.0.0/8`. */
  readonly trustedProxies: readonly string[]
  /** In a minute; null: no limit. */
  readonly rateLimits: {
    readonly key: number | null
    readonly token: number | null
    readonly endUser: number | null
    readonly endUserRequests: number | null
    /** Attempts with wrong credentials, of one address. */
    readonly failures: number | null
  }
  readonly operations: {
    /** A folder of documents, or a manifest of them; null: our own alone are known. */
    readonly path: string | null
    /** Run nothing but known ones. */
    readonly only: boolean
  }
  /** How long a call that waits for its pictures is kept waiting. */
  readonly waitMs: number
  readonly graphiql: boolean
  readonly introspection: boolean
  /** `local`: this machine, and keys of scope `admin`; `key`: those alone. */
  readonly metrics: 'local' | 'key' | 'off'
  /** Attempts at a time in this process, and at one provider. */
  readonly concurrency: number
  readonly providerConcurrency: number
  /** How long what runs may go on after SIGTERM. */
  readonly drainMs: number
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
}

export type Vendor = 'openai' | 'google' | 'stability' | 'bfl' | 'ideogram' | 'ark' | 'fal' | 'replicate'
/** `baseUrl` has no slash at its end. */
export type VendorConfig = { readonly apiKey: Secret | null; readonly baseUrl: string }

/** Every fault of the environment at once, each with the variable's name and the mend. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

const Environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: wholeNumber({ min: 0, max: 65_535 }).default(4000),
  PICTOR_DATA_DIR: z.string().min(1).default('./data'),
  DATABASE_URL: z
    .string()
    .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)$/, { error: 'must be sqlite:<path> or postgres://…' })
    .optional(),
  STORAGE_URL: storageUrl.optional(),
  STORAGE_PUBLIC_URL: storagePublicUrl.optional(),
  AWS_REGION: z.string().min(1).optional(),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: apiKey.optional(),
  AWS_SESSION_TOKEN: apiKey.optional(),
  REDIS_URL: redisUrl.optional(),
  PUBLIC_URL: webUrl.optional(),
  PICTOR_ROLES: list
    .refine((roles) => roles.length > 0 && roles.every((role) => role === 'api' || role === 'worker'), {
      error: 'must be `api`, `worker` or `api,worker`',
    })
    .default(['api', 'worker']),
  PICTOR_AUTH: z.enum(['auto', 'required'], { error: 'must be `auto` or `required`' }).default('auto'),
  PICTOR_SECRET: z.string().optional(),
  PICTOR_SECRET_PREVIOUS: previousSecrets.optional(),
  PICTOR_CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/, { error: 'must be an ISO 4217 code of three capital letters, such as EUR' })
    .default('USD'),
  PICTOR_USD_RATE: decimal.default('1'),
  PICTOR_CREDIT: decimal.default('0.001'),
  PICTOR_MARKUP: decimal.default('1'),
  PICTOR_UNKNOWN_OUTCOME: z.enum(['fail', 'retry-once'], { error: 'must be `fail` or `retry-once`' }).default('fail'),
  PICTOR_CALLBACKS: list
    .refine((words) => words.length === 1 || !words.some((word) => word === 'auto' || word === 'off'), {
      error: 'must be `auto`, `off`, or providers parted by commas, such as fal,replicate',
    })
    .transform((words) => (words[0] === 'auto' ? 'auto' : words[0] === 'off' ? [] : words))
    .default('auto'),
  PICTOR_CATALOG: z.string().min(1).optional(),
  PICTOR_RETENTION_DAYS: days.optional(),
  OPENAI_API_KEY: apiKey.optional(),
  OPENAI_BASE_URL: webUrl.default('https://api.openai.com/v1'),
  GEMINI_API_KEY: apiKey.optional(),
  GEMINI_BASE_URL: webUrl.default('https://generativelanguage.googleapis.com'),
  STABILITY_API_KEY: apiKey.optional(),
  STABILITY_BASE_URL: webUrl.default('https://api.stability.ai'),
  BFL_API_KEY: apiKey.optional(),
  BFL_BASE_URL: webUrl.default('https://api.bfl.ai'),
  IDEOGRAM_API_KEY: apiKey.optional(),
  IDEOGRAM_BASE_URL: webUrl.default('https://api.ideogram.ai'),
  ARK_API_KEY: apiKey.optional(),
  ARK_BASE_URL: webUrl.default('https://ark.ap-southeast.bytepluses.com/api/v3'),
  FAL_KEY: apiKey.optional(),
  FAL_BASE_URL: webUrl.default('https://queue.fal.run'),
  REPLICATE_API_TOKEN: apiKey.optional(),
  REPLICATE_BASE_URL: webUrl.default('https://api.replicate.com/v1'),
  PICTOR_DEFAULT_MODEL: z.string().min(1).default('sandbox/painter'),
  PICTOR_ALLOWED_ORIGINS: origins('such as https://app.example.com').default([]),
  PICTOR_WEBHOOK_ORIGINS: origins('such as http://billing.internal:8080').default([]),
  PICTOR_ALLOWED_HOSTS: list.default([]),
  PICTOR_TRUSTED_PROXIES: networks.default([]),
  PICTOR_LIMIT_KEY: perMinute.default(null),
  PICTOR_LIMIT_TOKEN: perMinute.default(3_000),
  PICTOR_LIMIT_END_USER: perMinute.default(1_200),
  PICTOR_LIMIT_END_USER_REQUESTS: perMinute.default(60),
  PICTOR_LIMIT_FAILURES: perMinute.default(60),
  PICTOR_OPERATIONS: z.string().min(1).optional(),
  PICTOR_OPERATIONS_ONLY: onOff.default(false),
  PICTOR_WAIT_SECONDS: wholeNumber({ min: 1, max: 3_600 }).default(300),
  PICTOR_GRAPHIQL: onOff.default(true),
  PICTOR_INTROSPECTION: onOff.default(true),
  PICTOR_METRICS: z.enum(['local', 'key', 'off'], { error: 'must be `local`, `key` or `off`' }).default('local'),
  PICTOR_CONCURRENCY: wholeNumber({ min: 1, max: 1_000 }).default(16),
  PICTOR_PROVIDER_CONCURRENCY: wholeNumber({ min: 1, max: 1_000 }).default(16),
  PICTOR_DRAIN_SECONDS: wholeNumber({ min: 0, max: 3_600 }).default(25),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'must be trace, debug, info, warn, error, fatal or silent',
    })
    .default('info'),
})

type Environment = z.output<typeof Environment>

/** An empty variable counts as unset. Throws ConfigError. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = Environment.safeParse(set)
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}.`))
  }
  const env = parsed.data
  const dataDir = resolve(env.PICTOR_DATA_DIR)
  const storage = readStorage(env, dataDir)
  if (typeof storage === 'string') throw new ConfigError([storage])
  return Object.freeze({
    dataDir,
    databaseUrl: env.DATABASE_URL ?? `sqlite:${dataDir}/pictor.db`,
    redisUrl: env.REDIS_URL ?? null,
    storage,
    roles: env.PICTOR_ROLES.map((role) => (role === 'api' ? 'api' : 'worker')),
    secret: env.PICTOR_SECRET === undefined ? null : new Secret(env.PICTOR_SECRET),
    previousSecrets: env.PICTOR_SECRET_PREVIOUS ?? [],
    currency: readCurrency(env),
    unknownOutcome: env.PICTOR_UNKNOWN_OUTCOME,
    callbacks: env.PICTOR_CALLBACKS,
    catalogFile: env.PICTOR_CATALOG === undefined ? null : resolve(env.PICTOR_CATALOG),
    retentionMs: env.PICTOR_RETENTION_DAYS ?? null,
    vendors: readVendors(env),
    engineKeys: readEngineKeys(set),
    defaultModel: env.PICTOR_DEFAULT_MODEL,
    ...readDoors(env),
    ...readRunning(env),
  })
}

/** How the process works. */
function readRunning(env: Environment) {
  return {
    concurrency: env.PICTOR_CONCURRENCY,
    providerConcurrency: env.PICTOR_PROVIDER_CONCURRENCY,
    drainMs: env.PICTOR_DRAIN_SECONDS * 1000,
    logLevel: env.LOG_LEVEL,
  }
}

/** How the world comes in. */
function readDoors(env: Environment) {
  return {
    host: env.HOST,
    port: env.PORT,
    publicUrl: env.PUBLIC_URL ?? null,
    auth: env.PICTOR_AUTH,
    allowedOrigins: env.PICTOR_ALLOWED_ORIGINS,
    allowedHosts: env.PICTOR_ALLOWED_HOSTS,
    webhookOrigins: env.PICTOR_WEBHOOK_ORIGINS,
    trustedProxies: env.PICTOR_TRUSTED_PROXIES,
    rateLimits: {
      key: env.PICTOR_LIMIT_KEY,
      token: env.PICTOR_LIMIT_TOKEN,
      endUser: env.PICTOR_LIMIT_END_USER,
      endUserRequests: env.PICTOR_LIMIT_END_USER_REQUESTS,
      failures: env.PICTOR_LIMIT_FAILURES,
    },
    operations: {
      path: env.PICTOR_OPERATIONS === undefined ? null : resolve(env.PICTOR_OPERATIONS),
      only: env.PICTOR_OPERATIONS_ONLY,
    },
    waitMs: env.PICTOR_WAIT_SECONDS * 1000,
    graphiql: env.PICTOR_GRAPHIQL,
    introspection: env.PICTOR_INTROSPECTION,
    metrics: env.PICTOR_METRICS,
  }
}

function readCurrency(env: Environment): Config['currency'] {
  return {
    code: env.PICTOR_CURRENCY,
    usdRate: env.PICTOR_USD_RATE,
    markup: env.PICTOR_MARKUP,
    credit: env.PICTOR_CREDIT,
  }
}

function readVendors(env: Environment): Config['vendors'] {
  const vendor = (apiKey: Secret | undefined, baseUrl: string) => ({ apiKey: apiKey ?? null, baseUrl })
  return {
    openai: vendor(env.OPENAI_API_KEY, env.OPENAI_BASE_URL),
    google: vendor(env.GEMINI_API_KEY, env.GEMINI_BASE_URL),
    stability: vendor(env.STABILITY_API_KEY, env.STABILITY_BASE_URL),
    bfl: vendor(env.BFL_API_KEY, env.BFL_BASE_URL),
    ideogram: vendor(env.IDEOGRAM_API_KEY, env.IDEOGRAM_BASE_URL),
    ark: vendor(env.ARK_API_KEY, env.ARK_BASE_URL),
    fal: vendor(env.FAL_KEY, env.FAL_BASE_URL),
    replicate: vendor(env.REPLICATE_API_TOKEN, env.REPLICATE_BASE_URL),
  }
}

/** `PICTOR_KEY_STUDIO_2` is the key of the engine `studio-2`. Throws ConfigError. */
function readEngineKeys(set: Readonly<Record<string, string | undefined>>): Config['engineKeys'] {
  const keys = new Map<string, Secret>()
  for (const [name, value] of Object.entries(set)) {
    const [, id] = /^PICTOR_KEY_([A-Z0-9_]+)$/.exec(name) ?? []
    if (id === undefined) continue
    const parsed = apiKey.safeParse(value)
    if (!parsed.success) throw new ConfigError([`${name} ${parsed.error.issues[0]?.message}.`])
    keys.set(id.toLowerCase().replaceAll('_', '-'), parsed.data)
  }
  return keys
}
