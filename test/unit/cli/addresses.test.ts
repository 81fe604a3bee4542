import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { graphqlUrl } from '../../../src/cli/connection.ts'
import { configuredUrl, findRunningServer, isPictor, noteServerAddress } from '../../../src/cli/running-server.ts'

it('adds /graphql to the address of a server, and nothing to a longer one', () => {
  expect(graphqlUrl('http://127.0.0.1:4000')).toBe('http://127.0.0.1:4000/graphql')
  expect(graphqlUrl('https://img.example.com/api/graphql')).toBe('https://img.example.com/api/graphql')
  expect(() => graphqlUrl('localhost:4000')).toThrow('is no address of a server')
})

it('finds the configured server under an address that can be reached', () => {
  expect(configuredUrl({ host: '0.0.0.0', port: 80 })).toBe('http://127.0.0.1:80/graphql')
  expect(configuredUrl({ host: '::', port: 4000 })).toBe('http://[::1]:4000/graphql')
  expect(configuredUrl({ host: '127.0.0.1', port: 0 })).toBeUndefined()
})

it('uses the noted address only while a Pictor answers there', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pictor-address-'))
  onTestFinished(() => rm(dataDir, { recursive: true }))
  const origin = await listen('{"status":"ok"}')
  const forget = await noteServerAddress(dataDir, `${origin}/graphql`, 1)
  const config = { dataDir, host: '127.0.0.1', port: 0 }
  expect(await findRunningServer(config)).toBe(`${origin}/graphql`)
  await forget()
  expect(await readdir(dataDir)).toEqual([])
  expect(await findRunningServer(config)).toBeUndefined()
})

it('takes no other program for a Pictor', async () => {
  expect(await isPictor(await listen('<html>hello</html>'))).toBe(false)
  expect(await isPictor(await listen('{"status":"fine"}'))).toBe(false)
  expect(await isPictor('http://127.0.0.1:1/graphql')).toBe(false)
})

async function listen(body: string): Promise<string> {
  const server = createServer((_request, response) => response.end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
