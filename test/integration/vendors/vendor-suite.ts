import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type GenerateImageInput, GenerationDocument } from '../../../schema/generated/operations.ts'
import { createLogger } from '../../../src/logger.ts'
import { probeImage } from '../../../src/storage/image-probe.ts'
import { createFastClock } from '../../support/fast-clock.ts'
import { follow, generate } from '../../support/generating.ts'
import { assertInvariants } from '../../support/invariants.ts'
import { startApp, type TestApp } from '../../support/start-app.ts'
import { expectWholeStory } from '../../support/watch-client.ts'
import type { PlayedVendor } from '../../support/wire/vendors.ts'
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts'

/** What is expected of a vendor from end to end: a GraphQL client here, the vendor's own protocol there. */
export type VendorCase = {
  readonly vendor: PlayedVendor
  /** A request for one image, and what comes of it. */
  readonly input: GenerateImageInput
  readonly expected: { readonly mimeType: string; readonly width?: number; readonly height?: number }
  /** Billable requests that an image of the request takes; 0: one for all of them. */
  readonly callsPerImage: 0 | 1
  readonly endings: readonly VendorEnding[]
  /** How much faster than time it goes where nobody answers; engines are waited for much longer than vendors. */
  readonly silenceFactor?: number
  /** Entries of the catalogue file, beside what is built in. */
  readonly models?: readonly object[]
  readonly providers?: (origin: string) => readonly object[]
}

export type VendorEnding = {
  readonly mode: string
  readonly code: string
  readonly stage?: string
  readonly retryable: boolean
  readonly providerBilled: boolean | null
  /** How often the vendor is asked; 1 unless told otherwise. */
  readonly attempts?: number
}

/** How much faster than time it goes: the pauses between tries and looks are seconds, and waits for silence minutes. */
const FACTOR = 20
const FACTOR_OF_SILENCE = 100
export const CANARY = 'sk-canary-b1d9e4f07a63'

export type Played = { readonly app: TestApp; readonly wire: WireServer; readonly log: string[] }

export async function play({ vendor, models, providers }: VendorCase, factor = FACTOR): Promise<Played> {
  const wire = await startWireServer(vendor.create)
  const log: string[] = []
  const app = await startApp({
    env: vendor.environment(wire.origin, CANARY),
    ...(models && { models }),
    ...(providers && { engines: providers(wire.origin) }),
    clock: createFastClock(factor),
    leaseMs: 600_000,
    logger: createLogger({ level: 'trace', destination: { write: (line) => void log.push(line) } }),
  })
  onTestFinished(async () => {
    await app[Symbol.asyncDispose]()
    await wire.close()
  })
  return { app, wire, log }
}

export function describeVendor(played: VendorCase): void {
  describe(`${played.vendor.name}, from the client to the wire`, () => {
    it('makes what was asked for, tells the whole story and leaves the books in order', async () => {
      const { app, wire, log } = await play(played)
      const made = await make(app, { ...played.input, count: 3 })
      expectWholeStory(made.events)
      expect(made.generation).toMatchObject({ status: 'COMPLETED', problems: [], error: null })
      expect(made.generation.images).toHaveLength(3)
      for (const { url } of made.generation.images) {
        const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer())
        expect(await probeImage(bytes)).toMatchObject(played.expected)
      }
      expect(wire.billable).toHaveLength(played.callsPerImage === 0 ? 1 : 3)
      await expectOrder({ app, wire, log })
    })

    it.each(played.endings)('ends a request that meets "$mode" in $code', async (ending) => {
      const isSilent = /^(hang|stall)/.test(ending.mode)
      const { app, wire, log } = await play(played, isSilent ? (played.silenceFactor ?? FACTOR_OF_SILENCE) : FACTOR)
      wire.script(...Array.from({ length: 9 }, () => ending.mode))
      const { generation } = await make(app, played.input)
      const { code, retryable, providerBilled, stage = 'PROVIDER', attempts = 1 } = ending
      expect(generation.status).toBe('FAILED')
      expect(generation.error).toMatchObject({ code, stage, retryable, billed: false, providerBilled })
      expect(generation.attempts).toHaveLength(attempts)
      expect(wire.billable).toHaveLength(attempts)
      expect(generation.cost.charged?.amount).toBe('0.000000')
      await expectOrder({ app, wire, log })
    })
  })
}

/** Asks, watches to the end and reads what became of it. */
export async function make(app: TestApp, input: GenerateImageInput) {
  const { generation: asked } = await generate(app.client, input)
  const events = await follow(app.client, asked.id)
  const { generation } = await app.client.run(GenerationDocument, { id: asked.id })
  if (!generation) throw new Error(`${asked.id} cannot be found.`)
  return { events, generation }
}

async function expectOrder({ app, wire, log }: Played): Promise<void> {
  const { database, storage, clock } = app.app.foundations
  await assertInvariants(database, storage, { now: clock.now() })
  expect(log.join('\n')).not.toContain(CANARY)
  expect(await filesWith(CANARY, app.dataDir)).toEqual([])
  for (const { path, query, body } of wire.requests) {
    expect(`${path}?${query}`).not.toContain(CANARY)
    expect(body.includes(CANARY)).toBe(false)
  }
}

/** Files below the folder that hold the text, the database and its log among them. */
async function filesWith(text: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const found = await Promise.all(files.map(async (file) => ((await readFile(file)).includes(text) ? [file] : [])))
  return found.flat()
}

/** Every vendor meets these, and they mean the same of each. */
export const COMMON_ENDINGS: readonly VendorEnding[] = [
  { mode: 'reset', code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null },
  { mode: 'truncate', code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null },
  { mode: 'hang', code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null },
  { mode: 'garbage', code: 'BAD_OUTPUT', stage: 'OUTPUT', retryable: true, providerBilled: null },
  { mode: 'status code=502', code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null },
  { mode: 'unauthorized', code: 'UNAUTHORIZED', retryable: false, providerBilled: false },
  { mode: 'quota', code: 'QUOTA_EXHAUSTED', retryable: false, providerBilled: false },
  { mode: 'rate_limited', code: 'RATE_LIMITED', retryable: true, providerBilled: false, attempts: 3 },
  { mode: 'unavailable', code: 'UNAVAILABLE', retryable: true, providerBilled: false, attempts: 3 },
  { mode: 'server_error', code: 'UNAVAILABLE', retryable: true, providerBilled: null },
  { mode: 'invalid', code: 'INVALID_REQUEST', retryable: false, providerBilled: false },
]
