import { beforeEach, describe, expect, it } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import type { RetryOverrides } from '../../../src/generation/services.ts'
import { OutboundError } from '../../../src/outbound/outbound-error.ts'
import type { Model, ModelCapabilities, PriceUnit } from '../../../src/providers/model.ts'
import { readInputs } from '../../../src/references/reference-image.ts'
import { generationPrefix } from '../../../src/storage/blob-keys.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { buildHouse, type House, PRICE_MICROS, viewerOf } from '../../support/house.ts'
import { createPictureShelf, fileOf, type PictureShelf } from '../../support/picture-shelf.ts'
import {
  createScriptedProvider,
  fails,
  failure,
  holds,
  type ScriptedProvider,
} from '../../support/scripted-provider.ts'
import { makeInput, makeModel } from '../../unit/generation/request-plan-fixtures.ts'
import { paintColour, paintImage } from '../../unit/storage/image-fixtures.ts'

const LEASE_MS = 15_000
const FOX = 'https://pictures.example/fox.png'
const OWL = 'https://pictures.example/owl.jpg'
const SAME: RetryOverrides = { prompt: null, model: null, seed: null, count: null, strict: null, providerOptions: null }

const price = (unit: PriceUnit, usd: string) => ({ unit, size: null, quality: null, usd, asOf: 0, source: 'a test' })
const EDITS: Partial<ModelCapabilities> = { maxReferenceImages: 3, mask: true }

function modelOf(id: string, capabilities: Partial<ModelCapabilities>, prices: Model['prices']): Model {
  return makeModel(capabilities, { id, providerModel: id.slice(5), prices })
}

const MODELS = [
  modelOf('test/easel', EDITS, [price('IMAGE', '0.04')]),
  modelOf('test/blind', {}, [price('IMAGE', '0.01')]),
  modelOf('test/single', { maxReferenceImages: 1 }, [price('IMAGE', '0.02')]),
  modelOf('test/metered', EDITS, [price('IMAGE', '0.03'), price('INPUT_MEGAPIXEL', '0.015')]),
]

describeOnEachDatabase('reference images', (open) => {
  let database: Database
  let shelf: PictureShelf
  let provider: ScriptedProvider
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    shelf = createPictureShelf()
    provider = createScriptedProvider()
    house = buildHouse({ database, models: MODELS, providers: [provider], fetchOutbound: shelf.fetchOutbound })
    viewer = await house.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS })
    shelf.put(FOX, await paintImage({ width: 40, height: 30, format: 'png' }))
    shelf.put(OWL, await paintImage({ width: 64, height: 64, format: 'jpeg' }))
  })

  async function problemsOf(work: Promise<unknown>) {
    const error = await work.then(
      () => new Error('Nothing was refused.'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof InvalidInputError)) throw error
    return error.fields.map(({ path, message }) => ({ path, message }))
  }

  const upload = async (who = viewer, bytes?: Uint8Array) =>
    house.domain.uploads.create(who, fileOf(bytes ?? (await paintImage({ width: 40, height: 30, format: 'webp' }))))

  async function listKeys(of = ''): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of house.storage.list('')) if (key.startsWith(of)) keys.push(key)
    return keys.toSorted()
  }

  /** Makes an image and answers with its id. */
  async function madeImage(who = viewer, input: Partial<GenerationInput> = {}): Promise<string> {
    const id = await house.order(who, input)
    await house.story(who, id)
    const [image] = await house.domain.reader.imagesOf([id])
    return image?.id ?? ''
  }

  describe('go to the provider', () => {
    it('whole, in order and in one of our formats, wherever they came from', async () => {
      await house.start()
      const imageId = await madeImage()
      const { id: uploadId } = await upload()
      const { generation } = await house.create(viewer, {
        referenceImages: [{ url: OWL }, { imageId }, { uploadId }],
      })
      expect(generation.parameters.referenceImages).toBe(3)
      await house.endOf(viewer, generation.id)
      const { request } = provider.turns.at(-1) ?? {}
      const facts = request?.referenceImages.map(({ mimeType, width, height }) => ({ mimeType, width, height }))
      expect(facts).toEqual([
        { mimeType: 'image/jpeg', width: 64, height: 64 },
        { mimeType: 'image/png', width: 4, height: 4 },
        { mimeType: 'image/webp', width: 40, height: 30 },
      ])
      expect(request?.mask).toBeNull()
      await house.assertInvariants()
    })

    it('with their mask', async () => {
      await house.start()
      const base64 = (await paintColour(40, 30, '#0000')).toString('base64')
      const id = await house.order(viewer, { referenceImages: [{ url: FOX }], mask: { base64 } })
      await house.endOf(viewer, id)
      expect(provider.turns[0]?.request.mask).toMatchObject({ mimeType: 'image/png', width: 40, height: 30 })
    })

    it('with every further try, and only as many as a fallback takes', async () => {
      provider.plan(fails(failure('UNAVAILABLE', 'NOT_ACCEPTED')), fails(failure('INVALID_REQUEST', 'ANSWERED')))
      await house.start()
      const mask = { base64: (await paintColour(40, 30, '#0000')).toString('base64') }
      const id = await house.order(viewer, {
        referenceImages: [{ url: FOX }, { url: OWL }],
        mask,
        strict: false,
        fallbackModels: ['test/blind', 'test/single'],
      })
      await house.pass(5_000)
      const end = await house.endOf(viewer, id)
      expect(end).toMatchObject({ status: 'COMPLETED', model: 'test/single' })
      const sent = provider.turns.map(({ request }) => [
        request.modelName,
        request.referenceImages.length,
        request.mask !== null,
      ])
      expect(sent).toEqual([
        ['easel', 2, true],
        ['easel', 2, true],
        ['single', 1, false],
      ])
      expect(shelf.asked).toHaveLength(2)
      const warnings = JSON.parse(end.warnings).map(({ code, field }: Record<string, string>) => `${code} ${field}`)
      expect(warnings).toEqual([
        'IGNORED fallbackModels',
        'FALLBACK_USED model',
        'ADJUSTED referenceImages',
        'IGNORED mask',
      ])
    })

    it('after a crash, from where they were kept', async () => {
      const id = await house.order(viewer, { referenceImages: [{ url: FOX }] })
      house.kill()
      shelf.remove(FOX)
      const next = buildHouse({ ...house, models: MODELS, providers: [provider], fetchOutbound: shelf.fetchOutbound })
      await next.start()
      await next.endOf(viewer, id)
      expect(provider.turns[0]?.request.referenceImages).toHaveLength(1)
    })

    it('or nothing further does: a job that is taken up without them is told so', async () => {
      const held = holds((turn) => turn.accept())
      provider.plan(held.plan)
      await house.start()
      const id = await house.order(viewer, { referenceImages: [{ url: FOX }] })
      await held.begun
      house.kill()
      await house.storage.deletePrefix(generationPrefix(id))
      const clock = createFakeClock(house.clock.now() + LEASE_MS + 1)
      const again = { models: MODELS, providers: [provider], fetchOutbound: shelf.fetchOutbound, clock }
      const next = buildHouse({ ...house, ...again })
      next.domain.worker.start()
      await next.story(viewer, id)
      expect(provider.turns.map(({ kind, call }) => [kind, call.unsendable?.message])).toEqual([
        ['generate', undefined],
        ['resume', 'A reference image of this request is no longer in storage. Nothing was sent to the provider.'],
      ])
    })

    it('or nothing does: lost bytes end it before anything is sent', async () => {
      const id = await house.order(viewer, { referenceImages: [{ url: FOX }], fallbackModels: ['test/metered'] })
      await house.storage.deletePrefix(generationPrefix(id))
      await house.start()
      await house.story(viewer, id)
      const row = await house.row(id)
      expect(row).toMatchObject({ status: 'FAILED', chargedMicros: 0, model: 'test/easel' })
      expect(JSON.parse(row.error ?? '')).toMatchObject({
        code: 'INVALID_REQUEST',
        stage: 'INPUT',
        retryable: false,
        providerBilled: false,
        message: 'A reference image of this request is no longer in storage. Nothing was sent to the provider.',
      })
      expect(provider.turns).toEqual([])
      expect(house.domain.models.providers()[0]?.health.state).toBe('UNKNOWN')
    })
  })

  describe('are refused', () => {
    it('at their own field, all at once, before anything is held', async () => {
      shelf.put('https://pictures.example/page', Buffer.from('<!doctype html>secret'))
      const problems = await problemsOf(
        house.create(viewer, {
          referenceImages: [
            { url: 'https://pictures.example/gone' },
            { url: 'https://pictures.example/page' },
            { url: FOX },
          ],
        }),
      )
      expect(problems).toEqual([
        {
          path: 'referenceImages.0.url',
          message: 'It could not be fetched. The server answered with the status 404.',
        },
        { path: 'referenceImages.1.url', message: 'It is neither PNG nor JPEG nor WebP. Send one of these.' },
      ])
      expect(await database.read.selectFrom('ledgerEntries').selectAll().where('kind', '=', 'HOLD').execute()).toEqual(
        [],
      )
      await house.start()
      await house.pass(250)
      expect(await listKeys()).toEqual([])
      await house.assertInvariants()
    })

    it('as base64 that is none, together with whatever else is wrong', async () => {
      const problems = await problemsOf(
        house.create(viewer, { prompt: ' ', referenceImages: [{ base64: 'no picture!' }] }),
      )
      expect(problems.map(({ path }) => path)).toEqual(['prompt', 'referenceImages.0.base64'])
    })

    it.each([
      ['another account’s', async () => house.account()],
      ['another end user’s', async () => viewerOf(viewer.accountId, { endUser: 'ben' })],
    ])('when they are %s, in the words for what does not exist', async (_name, stranger) => {
      await house.start()
      const ann = viewerOf(viewer.accountId, { endUser: 'ann' })
      const [imageId, { id: uploadId }] = [await madeImage(ann), await upload(ann)]
      const referenceImages = [{ imageId }, { uploadId }, { imageId: 'img_none' }]
      const problems = await problemsOf(house.create(await stranger(), { referenceImages }))
      expect(problems).toEqual([
        { path: 'referenceImages.0.imageId', message: 'There is no such image of yours.' },
        {
          path: 'referenceImages.1.uploadId',
          message: 'There is no such upload of yours, or its time is over. Upload the picture again.',
        },
        { path: 'referenceImages.2.imageId', message: 'There is no such image of yours.' },
      ])
      await house.create(ann, { referenceImages: referenceImages.slice(0, 2) })
      await house.create(viewer, { referenceImages: referenceImages.slice(0, 2) })
    })

    it('when they have been deleted, or their time is over', async () => {
      await house.start()
      const imageId = await madeImage()
      const image = await database.read.selectFrom('images').select('generationId').executeTakeFirstOrThrow()
      await house.domain.generations.delete(viewer, image.generationId)
      const { id: uploadId } = await upload()
      await database.transact((trx) => trx.updateTable('uploads').set({ expiresAt: house.clock.now() }).execute())
      const problems = await problemsOf(house.create(viewer, { referenceImages: [{ imageId }, { uploadId }] }))
      expect(problems.map(({ path }) => path)).toEqual(['referenceImages.0.imageId', 'referenceImages.1.uploadId'])
    })

    it('by a model that takes none, before anything is fetched', async () => {
      const problems = await problemsOf(
        house.create(viewer, { model: 'test/blind', referenceImages: [{ url: FOX }], strict: false }),
      )
      expect(problems.map(({ path }) => path)).toEqual(['referenceImages'])
      const dear = { referenceImages: [{ url: FOX }], size: '512x512', maxCost: '0.01' }
      await expect(house.create(viewer, dear)).rejects.toMatchObject({ code: 'COST_LIMIT' })
      expect(shelf.asked).toEqual([])
    })

    it('by an account without the credit, whose pictures go again', async () => {
      const poor = await house.account({ billing: 'PREPAID', creditMicros: 1 })
      await expect(house.create(poor, { referenceImages: [{ url: FOX }] })).rejects.toMatchObject({
        code: 'INSUFFICIENT_CREDITS',
      })
      expect(await listKeys()).toHaveLength(1)
      await house.start()
      await house.pass(250)
      expect(await listKeys()).toEqual([])
      expect(await database.read.selectFrom('doomedBlobs').selectAll().execute()).toEqual([])
    })

    it('as a mask of another size, or one that shows nothing through', async () => {
      const masks = [await paintColour(30, 40, '#0000'), await paintImage({ width: 40, height: 30, format: 'png' })]
      const problems = await Promise.all(
        masks.map((bytes) =>
          problemsOf(
            house.create(viewer, { referenceImages: [{ url: FOX }], mask: { base64: bytes.toString('base64') } }),
          ),
        ),
      )
      expect(problems).toEqual([
        [
          {
            path: 'mask.base64',
            message: 'A mask has the size of the first reference image, 40x30; this one has 30x40.',
          },
        ],
        [
          {
            path: 'mask.base64',
            message:
              'A mask is a PNG or WebP with an alpha channel: what is transparent is painted anew. This picture has none.',
          },
        ],
      ])
    })

    it('when their server takes too long', async () => {
      shelf.next(async (_url, { signal }) => {
        await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }))
        throw new OutboundError('ABORTED', 'It was given up.')
      })
      const problems = problemsOf(house.create(viewer, { referenceImages: [{ url: FOX }] }))
      await house.pass(1_000)
      await house.clock.advance(25_000)
      expect(await problems).toEqual([
        { path: 'referenceImages.0.url', message: 'It took too long. Upload the picture with `uploadImage`.' },
      ])
    })
  })

  describe('under an idempotency key', () => {
    const base64 = async (index: number) => (await paintColour(20, 20, `#0000${10 + index}`)).toString('base64')

    it('are fetched once, also when their address is dead at the replay', async () => {
      const input = { idempotencyKey: 'one', referenceImages: [{ url: FOX }] }
      const first = await house.create(viewer, input)
      shelf.remove(FOX)
      expect(await house.create(viewer, input)).toMatchObject({
        replayed: true,
        generation: { id: first.generation.id },
      })
      expect(shelf.asked).toEqual([FOX])
    })

    it('are the same request with the same bytes, however they are spelled, and another with others', async () => {
      const text = await base64(1)
      const input = { idempotencyKey: 'one', referenceImages: [{ base64: text }] }
      const first = await house.create(viewer, input)
      const again = await house.create(viewer, {
        ...input,
        referenceImages: [{ base64: `data:image/png;base64,${text}` }],
      })
      expect(again).toMatchObject({ replayed: true, generation: { id: first.generation.id } })
      const conflict = { code: 'IDEMPOTENCY_CONFLICT' }
      const others = [[{ base64: await base64(2) }], [{ url: FOX }], null]
      for (const referenceImages of others) {
        await expect(house.create(viewer, { ...input, referenceImages })).rejects.toMatchObject(conflict)
      }
      await expect(house.create(viewer, { ...input, mask: { base64: text } })).rejects.toMatchObject(conflict)
    })

    it('leave the bytes of one generation when many ask at once', async () => {
      await house.start()
      const input = { idempotencyKey: 'one', referenceImages: [{ url: FOX }] }
      const made = await Promise.all(Array.from({ length: 8 }, () => house.create(viewer, input)))
      const ids = new Set(made.map(({ generation }) => generation.id))
      expect(ids.size).toBe(1)
      await house.pass(250)
      const owners = new Set((await listKeys()).map((key) => key.split('/')[0]))
      expect(owners).toEqual(ids)
      await house.assertInvariants()
    })

    it('are not in any row', async () => {
      const text = await base64(3)
      const { generation } = await house.create(viewer, { referenceImages: [{ base64: text }] })
      const row = JSON.stringify(await house.row(generation.id))
      expect(row).not.toContain(text.slice(0, 40))
      expect(JSON.parse((await house.row(generation.id)).request).input.referenceImages).toEqual([
        { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ])
      expect(house.logger.lines.join()).not.toContain(text.slice(0, 40))
    })
  })

  describe('of a generation that is retried', () => {
    it('are copied from it, also when their addresses and uploads are gone', async () => {
      await house.start()
      const { id: uploadId } = await upload()
      const mask = { base64: (await paintColour(40, 30, '#0000')).toString('base64') }
      const id = await house.order(viewer, { referenceImages: [{ url: FOX }, { uploadId }], mask })
      await house.story(viewer, id)
      shelf.remove(FOX)
      await database.transact((trx) => trx.updateTable('uploads').set({ expiresAt: 1 }).execute())
      await house.domain.uploads.expire()
      const { generation } = await house.domain.generations.retry(viewer, id, SAME, 'again')
      const replay = await house.domain.generations.retry(viewer, id, SAME, 'again')
      expect(replay).toMatchObject({ replayed: true, generation: { id: generation.id } })
      await house.endOf(viewer, generation.id)
      expect(shelf.asked).toEqual([FOX])
      const [first, second] = provider.turns
      expect(second?.request.referenceImages).toEqual(first?.request.referenceImages)
      expect(second?.request.mask).toEqual(first?.request.mask)

      await house.domain.generations.delete(viewer, id)
      await house.pass(250)
      expect(readInputs((await house.row(generation.id)).inputs)).toHaveLength(3)
      await house.assertInvariants()
    })

    it('are refused where they are lost', async () => {
      await house.start()
      const id = await house.order(viewer, { referenceImages: [{ url: FOX }] })
      await house.story(viewer, id)
      await house.storage.deletePrefix(generationPrefix(id))
      const problems = await problemsOf(house.domain.generations.retry(viewer, id, SAME, null))
      expect(problems).toEqual([
        { path: 'id', message: 'The reference images of this generation are no longer there. Send the request anew.' },
      ])
    })
  })

  describe('of a generation that is deleted', () => {
    it('go with it, bytes and row', async () => {
      await house.start()
      const id = await house.order(viewer, { referenceImages: [{ url: FOX }] })
      await house.story(viewer, id)
      expect(await listKeys(generationPrefix(id))).toEqual([
        expect.stringMatching(/\/[0-9a-f]{64}\.png$/),
        expect.stringMatching(/\/input-[0-9a-f]{64}\.png$/),
      ])
      await house.domain.generations.delete(viewer, id)
      await house.pass(250)
      expect(await listKeys()).toEqual([])
      expect(await house.row(id)).toMatchObject({ inputs: '[]', request: '{}' })
      await house.assertInvariants()
    })
  })

  describe('whose server died while they were read', () => {
    it('are swept ten minutes later, and not before', async () => {
      shelf.next(async () => {
        house.kill()
        return new Promise<never>(() => undefined)
      })
      const { id: uploadId } = await upload()
      void house.create(viewer, { referenceImages: [{ uploadId }, { url: FOX }] })
      await house.pass(1_000)
      const orphans = await listKeys('gen_')
      expect(orphans.length).toBeLessThanOrEqual(1)
      const next = await begin()
      await next.pass(1_000)
      await next.assertInvariants()
      expect(await listKeys('gen_')).toEqual(orphans)
      next.kill()
      await house.clock.advance(10 * 60_000)
      await (await begin()).pass(1_000)
      expect(await listKeys('gen_')).toEqual([])
      expect(await database.read.selectFrom('doomedBlobs').selectAll().execute()).toEqual([])
    })

    async function begin(): Promise<House> {
      const next = buildHouse({ ...house, models: MODELS, fetchOutbound: shelf.fetchOutbound })
      await next.start()
      return next
    }
  })

  describe('that are billed by the megapixel', () => {
    const BIG = 'https://pictures.example/big.jpg'
    const asked = (more: Partial<GenerationInput> = {}): Partial<GenerationInput> => ({
      model: 'test/metered',
      count: 2,
      ...more,
    })

    beforeEach(async () => {
      // 1.44 megapixels: billed as two.
      shelf.put(BIG, await paintImage({ width: 1200, height: 1200, format: 'jpeg' }))
    })

    it.each(['url', 'uploadId', 'base64'] as const)('are told at the price that is settled: by %s', async (way) => {
      await house.start()
      const bytes = await paintImage({ width: 1200, height: 1200, format: 'jpeg' })
      const ways = {
        url: { url: BIG },
        base64: { base64: bytes.toString('base64') },
        uploadId: { uploadId: (await upload(viewer, bytes)).id },
      }
      const request = asked({ referenceImages: [ways[way], { url: FOX }] })
      const estimate = await house.domain.generations.estimate(viewer, makeInput(request))
      // 2 × (0.03 + 3 × 0.015)
      expect(estimate).toMatchObject({
        total: { minMicros: 150_000, maxMicros: 150_000 },
        parameters: { referenceImages: 2 },
        affordable: true,
      })
      expect(await database.read.selectFrom('generations').select('id').execute()).toEqual([])
      expect(await listKeys('gen_')).toEqual([])
      const end = await house.endOf(viewer, await house.order(viewer, request))
      expect(end).toMatchObject({ estimateMaxMicros: 150_000, chargedMicros: 150_000 })
    })

    it.each(['url', 'uploadId', 'base64'] as const)('give an edit without a size their shape, from %s', async (way) => {
      await house.start()
      const bytes = await paintImage({ width: 1600, height: 800, format: 'jpeg' })
      shelf.put('https://pictures.example/wide.jpg', bytes)
      const wide = {
        url: { url: 'https://pictures.example/wide.jpg' },
        base64: { base64: bytes.toString('base64') },
        uploadId: { uploadId: (await upload(viewer, bytes)).id },
      }
      const request = { referenceImages: [wide[way]], strict: false }
      const { parameters } = await house.domain.generations.estimate(viewer, makeInput(request))
      expect((parameters.width ?? 0) / (parameters.height ?? 1)).toBeCloseTo(2, 1)
      await house.endOf(viewer, await house.order(viewer, request))
      expect(house.provider.turns.at(-1)?.request.parameters).toMatchObject({
        width: parameters.width,
        height: parameters.height,
      })
    })

    it('count against `maxCost` with their real size', async () => {
      const request = asked({ referenceImages: [{ url: BIG }], maxCost: '0.10' })
      await expect(house.create(viewer, request)).rejects.toMatchObject({
        code: 'COST_LIMIT',
        estimateMicros: 120_000,
      })
      await house.create(viewer, { ...request, maxCost: '0.12' })
    })

    it('are not fetched for an estimate that does not hang on them', async () => {
      const estimate = await house.domain.generations.estimate(
        viewer,
        makeInput({ referenceImages: [{ url: 'https://pictures.example/gone' }], size: '512x512' }),
      )
      expect(estimate).toMatchObject({ total: { maxMicros: PRICE_MICROS }, parameters: { referenceImages: 1 } })
      const { id: uploadId } = await upload()
      await house.domain.generations.estimate(viewer, makeInput(asked({ referenceImages: [{ uploadId }] })))
      expect(shelf.asked).toEqual([])
    })

    it('make an estimate that must look at them count as a request', async () => {
      const busy = await house.account({ limits: { requestsPerMinute: 1 } })
      const look = () => house.domain.generations.estimate(busy, makeInput(asked({ referenceImages: [{ url: BIG }] })))
      await look()
      await expect(look()).rejects.toMatchObject({ code: 'RATE_LIMITED' })
      expect(shelf.asked).toHaveLength(1)
    })
  })
})
