import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startToyServer, type ToyServer } from '../../support/toy-server.ts'

let toy: ToyServer
let off: ToyServer
beforeAll(async () => {
  const tab = { name: 'Say hello', query: 'query Hello { hello }', variables: '{"a":1}' }
  toy = await startToyServer({ config: { graphiqlTabs: [tab] } })
  off = await startToyServer({ config: { graphiql: false } })
})
afterAll(async () => {
  await toy.stop()
  await off.stop()
})

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

it('gives a browser GraphiQL with the ready operations', async () => {
  const response = await fetch(toy.url, { headers: browser })
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('content-encoding')).toBe('gzip')
  const page = await response.text()
  expect(page).toContain('# Say hello\\nquery Hello { hello }')
  expect(page).toContain('"subscriptionsProtocol":"WS"')
})

it('loads nothing from elsewhere', async () => {
  const page = await (await fetch(toy.url, { headers: browser })).text()
  const markup = page.replace(/<script>[\s\S]*?<\/script>/g, '').replace(/<style>[\s\S]*?<\/style>/g, '')
  expect(markup).not.toMatch(/(?:src|href)="(?!data:)/)
  expect(page).not.toMatch(/<script[^>]+src=/)
})

it('lets only the scripts of the page run, and them talk only to this server', async () => {
  const response = await fetch(toy.url, { headers: browser })
  const policy = response.headers.get('content-security-policy') ?? ''
  const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(await response.text()) ?? []
  expect(policy).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`)
  expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${toy.port} `)
  expect(policy).not.toMatch(/script-src[^;]*unsafe/)
})

it('answers HEAD, and a page that the browser has with 304', async () => {
  const head = await fetch(toy.url, { method: 'HEAD', headers: browser })
  expect(head.status).toBe(200)
  const etag = head.headers.get('etag') ?? ''
  expect((await fetch(toy.url, { headers: { ...browser, 'if-none-match': etag } })).status).toBe(304)
})

it('is off by setting', async () => {
  const response = await fetch(off.url, { headers: browser })
  expect(response.status).not.toBe(200)
  expect(response.headers.get('content-type')).not.toContain('html')
})
