import { expect, it, onTestFinished } from 'vitest'
import { createSystemClock } from '../../src/clock.ts'
import { checkCatalog } from '../../src/composition/catalog-check.ts'
import { readConfig } from '../../src/config.ts'
import { createIds } from '../../src/ids.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

const tools = { clock: createSystemClock(), ids: createIds() }

/** A vendor with a list of its models, and what the catalogue says of the same. */
async function check(vendor: 'openai' | 'google', only?: string) {
  const wire = await startWireServer(PLAYED_VENDORS[vendor].create)
  onTestFinished(wire.close)
  const config = readConfig(PLAYED_VENDORS[vendor].environment(wire.origin, 'a-key'))
  return { reports: await checkCatalog(config, tools, only), wire }
}

it('asks the vendors that have a list and a key, once each and for nothing that costs', async () => {
  const { reports, wire } = await check('openai')
  expect(reports?.map(({ provider }) => provider)).toEqual(['openai'])
  expect(wire.billable).toEqual([])
  expect(wire.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/models'])
})

it('tells what is listed, what is gone and what is missing', async () => {
  const { reports } = await check('openai', 'openai')
  const states = new Map(reports?.[0]?.findings?.map(({ model, state }) => [model, state]))
  expect(states.get('openai/gpt-image-2')).toBe('LISTED')
  expect(states.get('openai/dall-e-3')).toBe('GONE')
  expect(states.get('openai/chatgpt-image-latest')).toBe('MISSING')
})

it('knows no provider of another name, and none without a key', async () => {
  expect((await check('google', 'gogle')).reports).toBeNull()
  expect((await check('google', 'openai')).reports).toEqual([])
})
