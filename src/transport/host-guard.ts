/**
 * In `auto` mode a caller on the loopback needs no key, so every page in the same browser is an attacker: it can send
 * requests to 127.0.0.1, and by DNS rebinding it can make its own name point there and read the answers. Hence only the
 * loopback's own names with our port are taken as Host, and only our own pages and listed ones as Origin. With keys
 * required, a foreign page has nothing to ride on, and only a list of hosts, if one is set, is held.
 */
export type HostGuard = {
  /** null: may pass. */
  check(request: { host: string | null; origin: string | null }): HostRefusal | null
  /** The same for doors that take no page of another site, whether or not a key is needed. */
  checkPage(request: { host: string | null; origin: string | null }): HostRefusal | null
  /** Is the page ours, or listed? A request without Origin comes from no page of another site. */
  allowsOrigin(request: { host: string | null; origin: string | null }): boolean
  /** Is it a page of another origin that may read our answers? */
  isListedOrigin(origin: string): boolean
}

export type HostRefusal = { readonly status: 403 | 421; readonly message: string }

export type HostGuardOptions = {
  readonly loopbackOnly: boolean
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly publicUrl: string | null
  /** Known once the server listens. */
  port(): number
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']

export function createHostGuard(options: HostGuardOptions): HostGuard {
  const publicUrl = options.publicUrl === null ? null : new URL(options.publicUrl)
  const listedHosts = new Set([...options.allowedHosts, ...(publicUrl ? [publicUrl.host] : [])].map(lowerCase))
  const listedOrigins = new Set([
    ...options.allowedOrigins.map(normalizeOrigin),
    ...(publicUrl ? [publicUrl.origin] : []),
  ])
  const holdsHosts = options.loopbackOnly || options.allowedHosts.length > 0

  function isOurHost(host: string): boolean {
    if (listedHosts.has(host)) return true
    return options.loopbackOnly && LOOPBACK_NAMES.some((name) => host === withPort(name, options.port()))
  }

  function allowsOrigin({ host, origin }: { host: string | null; origin: string | null }): boolean {
    if (origin === null || listedOrigins.has(origin)) return true
    const originHost = hostOf(origin)
    if (originHost === null) return false
    return options.loopbackOnly ? isOurHost(originHost) : originHost === host?.toLowerCase()
  }

  function check(request: { host: string | null; origin: string | null }, pagesToo: boolean): HostRefusal | null {
    if (holdsHosts && !isOurHost(request.host?.toLowerCase() ?? '')) {
      return { status: 421, message: 'This server does not answer to that host name.' }
    }
    if (pagesToo && !allowsOrigin(request)) {
      return { status: 403, message: 'This server does not take requests from pages of that origin.' }
    }
    return null
  }

  return {
    check: (request) => check(request, options.loopbackOnly),
    checkPage: (request) => check(request, true),
    allowsOrigin,
    isListedOrigin: (origin) => listedOrigins.has(origin),
  }
}

function withPort(name: string, port: number): string {
  return port === 80 ? name : `${name}:${port}`
}

function lowerCase(text: string): string {
  return text.toLowerCase()
}

function normalizeOrigin(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).origin : origin
}

function hostOf(origin: string): string | null {
  return /^https?:\/\//.test(origin) && URL.canParse(origin) ? new URL(origin).host : null
}
