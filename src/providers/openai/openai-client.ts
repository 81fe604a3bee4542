import type { OpenAI } from 'openai'
import type { Secret } from '../../secret.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'

/** Of a whole call; high qualities take minutes. Our own time limit: the SDK's is behind it and never the first. */
export const CALL_MS = 6 * 60_000
const SDK_MS = CALL_MS + 60_000

/** The SDK's own module: its classes of errors are told apart by it. */
export type OpenaiSdk = Pick<typeof import('openai'), 'APIConnectionError' | 'APIError' | 'APIUserAbortError'>
export type OpenaiClient = { readonly sdk: OpenaiSdk; readonly client: OpenAI }

/** Opens the client at the first call, and not with the server: the SDKs of vendors took half of a start. */
export function createClientOpener(deps: Pick<VendorDeps, 'baseUrl' | 'fetch'>): () => Promise<OpenaiClient> {
  let opened: Promise<OpenaiClient> | undefined
  const open = async () => {
    const sdk = await import('openai')
    return { sdk, client: createClient(sdk.OpenAI, deps) }
  }
  return () => {
    opened ??= open()
    return opened
  }
}

/**
 * The official SDK with nothing of its own: no retries (each would be a second paid generation), no log, no key. Each call
 * brings its key in a header (`callOptions`), so that none lies in an object that an error could drag along.
 */
function createClient(Client: typeof OpenAI, deps: Pick<VendorDeps, 'baseUrl' | 'fetch'>): OpenAI {
  return new Client({
    // What is given, null included, the SDK does not look for in the environment.
    apiKey: 'in a header of each call',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: deps.baseUrl,
    fetch: withOwnHeaders(deps.fetch),
    maxRetries: 0,
    timeout: SDK_MS,
    logLevel: 'off',
  })
}

export function callOptions(key: Secret, signal: AbortSignal) {
  return { headers: { authorization: `Bearer ${key.reveal()}` }, signal, timeout: SDK_MS, maxRetries: 0 }
}

const OWN_HEADERS = ['accept', 'authorization', 'content-type', 'user-agent']

/** The SDK adds what stands in OPENAI_CUSTOM_HEADERS whatever it is given, and facts of this machine. */
function withOwnHeaders(fetch: VendorFetch): VendorFetch {
  const send: VendorFetch = (input, init = {}) => {
    const headers = [...new Headers(init.headers)].filter(([name]) => OWN_HEADERS.includes(name))
    return fetch(input, { ...init, headers })
  }
  // Otherwise the SDK fetches `data:,` to find out which Response belongs to this fetch.
  return Object.assign(send, { Response })
}
