import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { GraphiqlTab } from './server-options.ts'

export type GraphiqlPage = { send(request: IncomingMessage, response: ServerResponse): Promise<void> }

type Rendered = { readonly html: Buffer; readonly gzipped: Buffer; readonly etag: string; readonly policy: string }

/**
 * GraphiQL with every script, style, font and worker inside one page of our own: no outside request. It is rendered at
 * the first call, because it is 9 MB that most processes never serve.
 */
export function createGraphiqlPage(tabs: readonly GraphiqlTab[]): GraphiqlPage {
  let rendered: Promise<Rendered> | null = null
  return {
    async send(request, response) {
      rendered ??= render(tabs)
      const { html, gzipped, etag, policy } = await rendered
      response.setHeader('etag', etag)
      response.setHeader('cache-control', 'private, no-cache')
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.setHeader('content-security-policy', policy.replaceAll('$HOST', request.headers.host ?? ''))
      response.appendHeader('vary', 'accept, accept-encoding')
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304).end()
        return
      }
      const compressed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
      if (compressed) response.setHeader('content-encoding', 'gzip')
      const body = compressed ? gzipped : html
      response.setHeader('content-length', body.length)
      response.end(request.method === 'HEAD' ? undefined : body)
    },
  }
}

/** Is it a browser that was sent to the address by a person? */
export function wantsPage(request: IncomingMessage): boolean {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  return isRead && (request.headers.accept?.includes('text/html') ?? false)
}

async function render(tabs: readonly GraphiqlTab[]): Promise<Rendered> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const rendered = renderGraphiQL({
    title: 'Pictor',
    endpoint: '/graphql',
    subscriptionsProtocol: 'WS',
    shouldPersistHeaders: false,
    defaultTabs: tabs.map(({ name, query, variables }) => ({ query: `# ${name}\n${query}`, variables })),
  })
  const page = rendered.replace('<div id="root"></div>', (root) => STEADY_TABS + firstVariables(tabs) + root)
  const html = Buffer.from(page)
  return {
    html,
    gzipped: await promisify(gzip)(html, { level: 6 }),
    etag: `"${createHash('sha256').update(html).digest('base64url')}"`,
    policy: contentSecurityPolicy(page),
  }
}

/**
 * At the first visit, GraphiQL 5 leaves its tabs with the offset of an animation that never ended, which holds while one
 * is pressed: it slips away under the pointer, and the click is lost.
 */
const STEADY_TABS = '<style>.graphiql-tab { transform: none !important }</style>'

/**
 * GraphiQL 5 shows the variables of its default tabs only when one comes back to them. At the first visit, those of the
 * tab in front have to stand where it keeps what one was working on.
 */
function firstVariables(tabs: readonly GraphiqlTab[]): string {
  const variables = JSON.stringify(tabs[0]?.variables ?? '').replaceAll('<', '\\u003c')
  return `<script>localStorage.getItem('graphiql:tabState') ?? localStorage.setItem('graphiql:variables', ${variables})</script>`
}

/** Only the page's own scripts run, known by their digests; it may talk to this server alone. */
function contentSecurityPolicy(page: string): string {
  const scripts = [...page.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, source = '']) => {
    return `'sha256-${createHash('sha256').update(source).digest('base64')}'`
  })
  return [
    "default-src 'none'",
    `script-src ${scripts.join(' ')} blob:`,
    "style-src 'unsafe-inline'",
    'img-src data: blob: http: https:',
    'font-src data:',
    'worker-src blob:',
    "connect-src 'self' ws://$HOST wss://$HOST",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
