import { beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { buildHouse, type House, PRICE_MICROS, pricedModel } from '../../support/house.ts'
import { answer, createScriptedProvider, failure, makes, makesAll, type Plan } from '../../support/scripted-provider.ts'
import { createTinyPng } from '../../support/tiny-png.ts'

const BUSY = failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 5_000 })

describeOnEachDatabase('settlement', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS })
    await house.start()
  })

  const endOf = (id: string) => house.endOf(viewer, id)

  async function run(plan: Plan, count = 1) {
    house.provider.plan(plan)
    return endOf(await house.order(viewer, { count }))
  }

  async function balance() {
    const { balanceMicros, heldMicros } = await house.domain.accountService.account(viewer)
    return { balanceMicros, heldMicros }
  }

  describe('of images that were made', () => {
    it('charges each once and ends COMPLETED', async () => {
      const end = await run(makesAll, 3)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 3, chargedMicros: 3 * PRICE_MICROS, problems: [] })
      expect(end.events).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'IMAGE_READY', 'IMAGE_READY', 'COMPLETED'])
      expect(end.attempts).toMatchObject([
        { number: 1, outcome: 'SUCCEEDED', phase: 'DONE', providerRequestId: 'req-1' },
      ])
      expect(await balance()).toEqual({ balanceMicros: 97 * PRICE_MICROS, heldMicros: 0 })
      expect(house.provider.sends).toHaveLength(1)
    })

    it('takes two equal pictures for two images', async () => {
      const bytes = createTinyPng(7)
      const end = await run(async (turn) => {
        await turn.send()
        await turn.image(0, bytes)
        await turn.image(1, bytes)
        return answer()
      }, 2)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 2, chargedMicros: 2 * PRICE_MICROS })
    })

    it('charges those that came, releases the rest, and lists each that did not', async () => {
      const failures = [{ imageIndex: 2, error: failure('REFUSED', 'ANSWERED') }]
      const end = await run(makes([0, 1, 3], { failures }), 4)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 3, chargedMicros: 3 * PRICE_MICROS, error: null })
      expect(end.problems).toMatchObject([{ code: 'REFUSED', imageIndex: 2, stage: 'PROVIDER', billed: false }])
      expect(end.attempts).toMatchObject([{ outcome: 'PARTIAL' }])
      expect(await balance()).toEqual({ balanceMicros: 97 * PRICE_MICROS, heldMicros: 0 })
    })

    it('lists images that the provider left out without a word', async () => {
      const end = await run(makes([1]), 3)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 1, chargedMicros: PRICE_MICROS })
      expect(end.problems).toMatchObject([{ code: 'TOO_FEW_IMAGES', retryable: true, imageIndex: null }])
      expect(end.problems[0]?.message).toContain('2 of 3')
    })

    it('keeps what came before the call failed', async () => {
      const end = await run(async (turn) => {
        await turn.send()
        await turn.image(0)
        throw failure('TIMEOUT', 'UNKNOWN')
      }, 2)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 1, chargedMicros: PRICE_MICROS })
      expect(end.problems).toMatchObject([{ code: 'UNKNOWN_OUTCOME', providerBilled: null, retryable: true }])
      expect(house.provider.sends).toHaveLength(1)
    })

    it('does not send again, whatever failed behind an image', async () => {
      const end = await run(async (turn) => {
        await turn.send()
        await turn.image(0)
        throw BUSY
      }, 2)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 1, problems: [{ code: 'RATE_LIMITED' }] })
      expect(house.provider.sends).toHaveLength(1)
    })

    it('finds nothing missing when all came before the call failed', async () => {
      const end = await run(async (turn) => {
        await turn.send()
        await turn.images()
        throw failure('UNAVAILABLE', 'UNKNOWN')
      }, 2)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 2, problems: [] })
    })

    it('takes an image of one index once, and none that nobody asked for', async () => {
      const end = await run(async (turn) => {
        await turn.send()
        for (const index of [0, 0, -1, 0.5, 2, 7, 1]) await turn.image(index)
        return answer()
      }, 2)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 2, chargedMicros: 2 * PRICE_MICROS, problems: [] })
    })
  })

  describe('of bytes that are no picture', () => {
    const broken = (bytes: Uint8Array): Plan => {
      return async (turn) => {
        await turn.send()
        await turn.image(0)
        await turn.image(1, bytes)
        return answer()
      }
    }

    it.each([
      ['noise', Buffer.from('no picture at all')],
      ['nothing', new Uint8Array()],
      ['half a picture', createTinyPng(1).subarray(0, 40)],
    ])('fails that index alone: %s', async (_, bytes) => {
      const end = await run(broken(bytes), 2)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 1, chargedMicros: PRICE_MICROS })
      expect(end.problems).toMatchObject([
        { code: 'BAD_OUTPUT', stage: 'OUTPUT', imageIndex: 1, providerBilled: true, billed: false },
      ])
    })

    it('fails where nothing else came, and is not sent again', async () => {
      const end = await run(async (turn) => {
        await turn.send()
        await turn.image(0, Buffer.from('no picture'))
        return answer()
      })
      expect(end).toMatchObject({ status: 'FAILED', chargedMicros: 0, error: { code: 'BAD_OUTPUT', stage: 'OUTPUT' } })
      expect(house.provider.sends).toHaveLength(1)
    })
  })

  describe('of what the vendor reports', () => {
    const tokens = {
      inputTokens: 10,
      imageInputTokens: null,
      outputTokens: 2,
      imageOutputTokens: 1_000,
      totalTokens: 1_012,
    }

    it('keeps its cost and its tokens', async () => {
      const end = await run(async (turn) => {
        await turn.send()
        await turn.images()
        return answer({ reportedUsdMicros: 31_000, usage: tokens })
      })
      expect(end).toMatchObject({ providerReportedMicros: 31_000, chargedMicros: PRICE_MICROS })
      expect(JSON.parse(end.tokens ?? '')).toEqual({ input: 10, output: 1_002, total: 1_012 })
    })

    it('charges by the tokens, and never above what was held', async () => {
      const price = {
        unit: 'MILLION_IMAGE_OUTPUT_TOKENS',
        size: null,
        quality: null,
        asOf: 0,
        source: 'a test',
      } as const
      const estimate = { size: null, quality: null, unit: price.unit, min: 500, max: 2_000 }
      const model = pricedModel({ prices: [{ ...price, usd: '40' }], tokenEstimates: [estimate] })
      house = buildHouse({ database, clock: house.clock, ids: house.ids, models: [model] })
      await house.start()
      const reports = (imageOutputTokens: number): Plan => {
        return async (turn) => {
          await turn.send()
          await turn.images()
          return answer({ usage: { ...tokens, imageOutputTokens } })
        }
      }
      expect(await run(reports(1_000))).toMatchObject({ estimateMaxMicros: 80_000, chargedMicros: 40_000 })
      expect(await run(reports(9_000))).toMatchObject({ chargedMicros: 80_000 })
    })

    it('does not lose pictures over numbers that are none', async () => {
      const end = await run(async (turn) => {
        await turn.send()
        turn.call.onProgress({ progress: Number.NaN })
        await turn.call.onImage({ index: 0, bytes: createTinyPng(1), seed: 0.5, revisedPrompt: 'a fox' })
        return answer({
          reportedUsdMicros: 1.5,
          usage: { ...tokens, inputTokens: -1, imageInputTokens: null, imageOutputTokens: 0.1 },
        })
      })
      expect(end).toMatchObject({ status: 'COMPLETED', providerReportedMicros: null, chargedMicros: PRICE_MICROS })
      expect(JSON.parse(end.tokens ?? '')).toEqual({ input: null, output: 2, total: 1_012 })
    })

    it('does not stand still over numbers that cannot be', async () => {
      const unit = 'MILLION_IMAGE_OUTPUT_TOKENS' as const
      const price = { unit, size: null, quality: null, asOf: 0, source: 'a test', usd: '40' }
      const model = pricedModel({ prices: [price], tokenEstimates: [{ ...price, min: 500, max: 2_000 }] })
      house = buildHouse({ database, clock: house.clock, ids: house.ids, models: [model] })
      await house.start()
      const end = await run(async (turn) => {
        await turn.send()
        await turn.images()
        const usage = { ...tokens, imageOutputTokens: Number.MAX_SAFE_INTEGER }
        return answer({ usage, reportedUsdMicros: Number.MAX_SAFE_INTEGER })
      })
      expect(end).toMatchObject({ status: 'COMPLETED', providerReportedMicros: null, chargedMicros: 80_000 })
      expect(house.logger.lines.filter(({ level }) => level === 'error')).toEqual([])
    })

    it('does not lose pictures over text that no database takes', async () => {
      const revisedPrompt = 'a\u0000 fox\ud83d,\na hen'
      const end = await run(async (turn) => {
        await turn.send()
        await turn.call.onImage({ index: 0, bytes: createTinyPng(1), seed: null, revisedPrompt })
        return answer({ requestId: 'req\u0000\ud83d-1' })
      })
      expect(end).toMatchObject({ status: 'COMPLETED', problems: [] })
      expect(end.attempts).toMatchObject([{ providerRequestId: 'req\ufffd-1' }])
      const [image] = await house.domain.reader.imagesOf([end.id])
      expect(image?.revisedPrompt).toBe('a fox\ufffd,\na hen')
    })
  })

  it('ends what asks for a model that the server no longer knows', async () => {
    const waiting = buildHouse({
      database,
      clock: house.clock,
      ids: house.ids,
      models: [pricedModel({ id: 'test/gone' })],
    })
    house.kill()
    const id = await waiting.order(viewer, { model: 'test/gone' })
    house = buildHouse({ database, clock: house.clock, ids: house.ids })
    await house.start()
    expect(await endOf(id)).toMatchObject({
      status: 'FAILED',
      chargedMicros: 0,
      error: { code: 'MODEL_RETIRED', providerBilled: false },
    })
  })

  it('ends what asks for a provider that the server no longer has', async () => {
    const waiting = buildHouse({ database, clock: house.clock, ids: house.ids })
    house.kill()
    const id = await waiting.order(viewer)
    const providers = [createScriptedProvider({ id: 'other' })]
    house = buildHouse({ database, clock: house.clock, ids: house.ids, providers })
    await house.start()
    expect(await endOf(id)).toMatchObject({ status: 'FAILED', error: { code: 'MODEL_RETIRED' } })
  })
})
