import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { parse, print } from 'graphql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HistoryDocument, ViewerDocument } from '../../../schema/generated/operations.ts'
import { createApp } from '../../../src/app.ts'
import { ConfigError, readConfig } from '../../../src/config.ts'
import { hashOf } from '../../../src/transport/known-operations.ts'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { runCommand } from '../../support/run-command.ts'
import { createScratchFolder } from '../../support/scratch-folder.ts'
import { startApp } from '../../support/start-app.ts'

const SCOPES = print(parse('query Scopes { viewer { scopes account { id } } }'))
const ID = hashOf(SCOPES)

async function scratch(): Promise<string> {
  const { folder, remove } = await createScratchFolder()
  onTestFinished(remove)
  return folder
}

/** A folder with one operation. */
async function operations(text = SCOPES): Promise<string> {
  const folder = await scratch()
  await mkdir(join(folder, 'pages'))
  await writeFile(join(folder, 'pages', 'scopes.graphql'), text)
  return folder
}

async function post(url: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, text }
}

describe('a known operation', () => {
  it('runs by its id on every transport', async () => {
    await using server = await startApp({ env: { PICTOR_OPERATIONS: await operations() } })
    const persistedQuery = { extensions: { persistedQuery: { version: 1, sha256Hash: ID } } }
    for (const body of [{ documentId: `sha256:${ID}` }, { documentId: ID }, persistedQuery]) {
      expect(await post(server.url, body)).toMatchObject({ status: 200, text: expect.stringContaining('acc_local') })
      const stream = await post(server.url, body, { accept: 'text/event-stream' })
      expect(stream.text).toContain('acc_local')
      const form = new FormData()
      form.set('operations', JSON.stringify(body))
      form.set('map', '{}')
      const multipart = await fetch(server.url, {
        method: 'POST',
        body: form,
        headers: { 'graphql-require-preflight': '1' },
      })
      expect(await multipart.text()).toContain('acc_local')
      const socket = await openRawSocket(server.wsUrl)
      await socket.init({})
      socket.send({ type: 'subscribe', id: '1', payload: { query: '', ...body } })
      expect(await socket.next()).toMatchObject({ type: 'next', payload: { data: { viewer: {} } } })
      socket.socket.terminate()
    }
    for (const search of [`documentId=sha256:${ID}`, `extensions=${JSON.stringify(persistedQuery.extensions)}`]) {
      const got = await fetch(`${server.url}?${search}`, { headers: { 'graphql-require-preflight': '1' } })
      expect(await got.text()).toContain('acc_local')
    }
  })

  it('is also one of those that come with the server', async () => {
    await using server = await startApp()
    expect(await post(server.url, { documentId: hashOf(print(ViewerDocument)) })).toMatchObject({ status: 200 })
    expect(await post(server.url, { documentId: hashOf('{ nobody }') })).toMatchObject({
      status: 404,
      text: expect.stringContaining('"code":"PERSISTED_QUERY_NOT_FOUND"'),
    })
  })

  it('is not run under the id of another', async () => {
    await using server = await startApp({ env: { PICTOR_OPERATIONS: await operations() } })
    const swapped = await post(server.url, { query: '{ viewer { endUser } }', documentId: ID })
    expect(swapped).toMatchObject({ status: 400, text: expect.stringContaining('BAD_USER_INPUT') })
    expect(await post(server.url, { query: SCOPES, documentId: ID })).toMatchObject({ status: 200 })
    expect((await post(server.url, { documentId: 7 })).status).toBe(400)
  })

  it('is read from the manifest of Apollo, and from a list of ids', async () => {
    const folder = await scratch()
    const apollo = {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id: 'scopes-1', name: 'Scopes', type: 'query', body: SCOPES }],
    }
    for (const manifest of [apollo, { 'scopes-1': SCOPES }, { 'sha256:scopes-1': SCOPES }]) {
      const path = join(folder, 'manifest.json')
      await writeFile(path, JSON.stringify(manifest))
      await using server = await startApp({ env: { PICTOR_OPERATIONS: path } })
      expect(await post(server.url, { documentId: 'scopes-1' })).toMatchObject({ status: 200 })
    }
  })

  it('stops the start when it cannot be run, or is not there', async () => {
    const dataDir = await scratch()
    const startWith = (path: string) => createApp(readConfig({ PICTOR_DATA_DIR: dataDir, PICTOR_OPERATIONS: path }))
    await expect(startWith(await operations('{ nope }'))).rejects.toThrow(ConfigError)
    await expect(startWith(await operations('{ nope }'))).rejects.toThrow(
      /PICTOR_OPERATIONS.*pages\/scopes\.graphql: Cannot query field "nope"/,
    )
    const checked = await runCommand(['doctor', '--json'], {
      PICTOR_DATA_DIR: dataDir,
      PICTOR_OPERATIONS: await operations('{ nope }'),
    })
    expect(JSON.parse(checked.stdout).checks).toContainEqual(
      expect.objectContaining({ name: 'operations', ok: false, detail: expect.stringContaining('"nope"') }),
    )
    await expect(startWith(join(dataDir, 'nowhere'))).rejects.toThrow(/PICTOR_OPERATIONS must be a folder.*ENOENT/)
    await writeFile(join(dataDir, 'list.json'), '{"a": 1}')
    await expect(startWith(join(dataDir, 'list.json'))).rejects.toThrow(/entry 1 has no id with a text/)
  })
})

describe('clients of a server that runs nothing else', () => {
  const env = { PICTOR_OPERATIONS_ONLY: 'on' }

  it('are the command line, whose operations are known', async () => {
    await using server = await startApp({ env })
    const run = (...words: string[]) => runCommand([...words, '--json', '--url', server.url], {})
    const out = join(await scratch(), 'fox.png')
    const made = await run('generate', 'a red fox', '--size', '64x64', '--out', out)
    expect(made, made.stdout + made.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(made.stdout).generation).toMatchObject({ status: 'COMPLETED' })
    for (const words of [['models'], ['history'], ['estimate', 'a red fox']]) {
      expect((await run(...words)).code, words.join()).toBe(0)
    }
  })

  it('are Apollo, which sends the hash of what its cache makes of a document', async () => {
    await using server = await startApp({ env: { ...env, PICTOR_OPERATIONS: await operations() } })
    const bodies: string[] = []
    const http = new HttpLink({
      uri: server.url,
      fetch: (url, init) => {
        bodies.push(String(init?.body))
        return fetch(url, init)
      },
    })
    const client = new ApolloClient({
      cache: new InMemoryCache(),
      link: new PersistedQueryLink({ sha256: (text) => hashOf(text) }).concat(http),
    })
    for (const query of [gql(SCOPES), gql(print(HistoryDocument))]) {
      const { error } = await client.query({ query, variables: {} })
      expect(error).toBeUndefined()
    }
    expect(bodies.filter((body) => body.includes('"query"'))).toEqual([])
    const unknown = client.query({ query: gql`query Unknown { viewer { endUser } }` })
    await expect(unknown).rejects.toThrow('runs known operations only')
  })

  it('get no page to type into', async () => {
    await using server = await startApp({ env })
    const answer = await fetch(server.url, { headers: { accept: 'text/html' } })
    expect(answer.ok).toBe(false)
    expect(await answer.text()).not.toContain('<html')
  })
})
