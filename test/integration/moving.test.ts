import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type DocumentStep, readRequests } from '../support/document-requests.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { createPictureShelf } from '../support/picture-shelf.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { createDocumentRun, type DocumentRun } from '../support/running-documents.ts'
import { differencesFrom, differencesFromHttp } from '../support/shown-answers.ts'
import { createTestAccount, startApp, type TestApp } from '../support/start-app.ts'
import { makePicture } from '../support/wire/pictures.ts'
import { PLAYED_VENDORS, type PlayedVendor } from '../support/wire/vendors.ts'
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts'

const FOLDER = 'docs/moving'
const PAGES = readdirSync(join(import.meta.dirname, '../..', FOLDER)).filter((name) => name !== 'README.md')

/** One server with every vendor behind it, for all pages. */
let app: TestApp
let wires: readonly WireServer[]
let receiver: Receiver
let run: DocumentRun

beforeAll(async () => {
  const vendors: readonly PlayedVendor[] = Object.values(PLAYED_VENDORS)
  wires = await Promise.all(vendors.map(({ create }) => startWireServer(create)))
  receiver = await startReceiver()
  const shelf = createPictureShelf()
  for (const name of ['fox', 'snow']) {
    shelf.put(`https://example.com/${name}.jpg`, await makePicture({ width: 64, height: 64, format: 'jpeg' }))
  }
  const environments = vendors.map((vendor, place) => vendor.environment(wires[place]?.origin ?? '', 'key'))
  const env = Object.assign({ PICTOR_WEBHOOK_ORIGINS: receiver.origin }, ...environments)
  const { fetchOutbound } = shelf
  app = await startApp({ env, clock: createFastClock(10), leaseMs: 600_000, fetchOutbound })
  const shop = await createTestAccount(app.app, { billing: 'PREPAID', creditMicros: 10_000_000 })
  const poor = await createTestAccount(app.app, { billing: 'PREPAID' })
  const hasty = await createTestAccount(app.app, { limits: { requestsPerMinute: 1 } })
  const variables = { PICTOR_KEY: shop.secret, EMPTY_KEY: poor.secret, ONCE_KEY: hasty.secret }
  run = createDocumentRun({ origin: app.origin, receiver: receiver.origin, variables })
})

afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
  await Promise.all(wires.map((wire) => wire.close()))
})

function compare({ answer }: DocumentStep, actual: string): readonly string[] {
  if (answer.language === 'http') return differencesFromHttp(answer.text, actual)
  if (answer.language === 'json') return differencesFrom(JSON.parse(answer.text), JSON.parse(actual))
  return differencesFrom(answer.text.trim(), actual.trim())
}

const WORD = /[A-Za-z][\w-]+/g
/** What curl leaves unsaid. */
const UNSAID = new Set(['GET', 'POST'])

describe.skipIf(inject('obstacles').curl).each(PAGES)('%s', (page) => {
  const { requests, rows } = readRequests(`${FOLDER}/${page}`)

  it('leads from each row to requests, and to each request from a row', () => {
    const numbers = requests.map(({ number }) => number)
    expect(rows.filter(({ requests: shown }) => shown.length === 0)).toEqual([])
    expect([...new Set(rows.flatMap(({ requests: shown }) => shown))].toSorted()).toEqual(numbers.toSorted())
  })

  it('shows in those requests every name that the row tells', () => {
    const missing = rows.flatMap((row) => {
      const text = requests.filter(({ number }) => row.requests.includes(number)).map((request) => request.text)
      const told = [...row.here.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => code.match(WORD) ?? [])
      const shown = new Set(text.join('\n').match(/[A-Za-z][\w-]*/g))
      return told.filter((word) => !UNSAID.has(word) && !shown.has(word)).map((word) => `${row.name}: ${word}`)
    })
    expect(missing).toEqual([])
  })

  it.each(requests)('answers request $number as it says', async ({ steps }) => {
    expect(steps.length).toBeGreaterThan(0)
    for (const step of steps)
      expect({ step: step.text, differs: compare(step, await run.run(step)) }).toMatchObject({ differs: [] })
  })
})
