import { beforeEach, describe, expect, it } from 'vitest'
import {
  endAttempt,
  findAttempt,
  findLatestAttempt,
  insertAttempt,
  listAttempts,
  updateOwnAttempt,
} from '../../../src/store/attempt-store.ts'
import type { Database, Trx } from '../../../src/store/database.ts'
import {
  blankGeneration,
  countImage,
  findGeneration,
  findOwnGenerations,
  insertGeneration,
  listOverdueGenerations,
  lockGeneration,
  refenceGeneration,
  updateGeneration,
} from '../../../src/store/generation-store.ts'
import type { AttemptRow, GenerationRow } from '../../../src/store/tables.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { generationRow } from '../../support/generation-rows.ts'
import { createMoment } from '../../support/moment.ts'

describeOnEachDatabase('generation store', (open) => {
  let database: Database

  beforeEach(async () => {
    database = await open()
    for (const id of ['acc_1', 'acc_2']) await run((trx) => insertAccount(trx, { id }))
  })

  const run = <T>(work: (trx: Trx) => Promise<T>) => database.transact(work)
  const insert = (row: Partial<GenerationRow> = {}, tags: readonly string[] = []) =>
    run((trx) => insertGeneration(trx, generationRow(row), tags))
  const find = (id = 'gen_1') => findGeneration(database.read, id)

  it('gives back what it was given', async () => {
    const row = generationRow({
      endUser: 'ann',
      prompt: 'a "fox" — 画像 \\ % _',
      metadata: '{"a":[1]}',
      heldMicros: Number.MAX_SAFE_INTEGER,
      estimateMaxMicros: 5_000_000_000,
      deadlineAt: 1_800_000_000_000,
    })
    await run((trx) => insertGeneration(trx, row, ['red', 'Rot', 'r%t']))
    expect(await find()).toEqual(row)
    const tags = await database.read.selectFrom('generationTags').select('tag').execute()
    expect(tags.map(({ tag }) => tag).sort()).toEqual(['Rot', 'r%t', 'red'])
  })

  it('finds for an owner what is the owner’s and not deleted', async () => {
    await insert({ id: 'gen_1', endUser: 'ann' })
    await insert({ id: 'gen_2' })
    await insert({ id: 'gen_3', deletedAt: 1 })
    await insert({ id: 'gen_4', accountId: 'acc_2' })
    const ids = ['gen_1', 'gen_2', 'gen_3', 'gen_4', 'gen_5']
    const own = async (accountId: string, endUser: string | null) =>
      (await findOwnGenerations(database.read, { accountId, endUser }, ids)).map(({ id }) => id).sort()
    expect(await own('acc_1', null)).toEqual(['gen_1', 'gen_2'])
    expect(await own('acc_1', 'ann')).toEqual(['gen_1'])
    expect(await own('acc_1', '')).toEqual([])
    expect(await own('acc_2', null)).toEqual(['gen_4'])
    expect(await findOwnGenerations(database.read, { accountId: 'acc_1', endUser: null }, [])).toEqual([])
  })

  describe('a change', () => {
    it('counts the sequence on and returns the row as it is then', async () => {
      await insert()
      const where = { id: 'gen_1', from: ['QUEUED' as const] }
      const changed = await run((trx) => updateGeneration(trx, where, { status: 'RUNNING', attemptToken: 't1' }))
      expect(changed).toMatchObject({ status: 'RUNNING', sequence: 2, attemptToken: 't1' })
      expect(await find()).toEqual(changed)
    })

    it.each([
      ['another status', { from: ['QUEUED' as const], attemptToken: 't1' }],
      ['another fence', { from: ['RUNNING' as const], attemptToken: 't2' }],
    ])('is not made from %s', async (_, where) => {
      await insert({ status: 'RUNNING', attemptToken: 't1' })
      const changed = await run((trx) => updateGeneration(trx, { id: 'gen_1', ...where }, { status: 'FAILED' }))
      expect(changed).toBeUndefined()
      expect(await find()).toMatchObject({ status: 'RUNNING', sequence: 1 })
    })

    it('is made by one of many at once', async () => {
      await insert({ status: 'RUNNING', attemptToken: 't1' })
      const where = { id: 'gen_1', from: ['RUNNING' as const] }
      const changes = await Promise.all(
        Array.from({ length: 8 }, () => run((trx) => updateGeneration(trx, where, { status: 'CANCELED' }))),
      )
      expect(changes.filter((row) => row !== undefined)).toHaveLength(1)
      expect(await find()).toMatchObject({ sequence: 2 })
    })

    it('waits for whoever holds the row still', async () => {
      await insert({ status: 'RUNNING', attemptToken: 't1' })
      const held = createMoment()
      const order: string[] = []
      const first = run(async (trx) => {
        await lockGeneration(trx, 'gen_1')
        held.reach()
        for (let turn = 0; turn < 20; turn++) await findGeneration(trx, 'gen_1')
        order.push('first')
      })
      await held.reached
      const second = run(async (trx) => {
        await lockGeneration(trx, 'gen_1')
        order.push('second')
      })
      await Promise.all([first, second])
      expect(order).toEqual(['first', 'second'])
    })
  })

  it('counts an image under the fence of what runs, and under no other', async () => {
    await insert({ status: 'RUNNING', attemptToken: 't1', endUser: 'ann' })
    const count = (token: string) => run((trx) => countImage(trx, 'gen_1', token))
    expect(await count('t1')).toEqual({ sequence: 2, accountId: 'acc_1', endUser: 'ann', webhookUrl: null })
    expect(await count('t2')).toBeUndefined()
    await run((trx) => updateGeneration(trx, { id: 'gen_1', from: ['RUNNING'] }, { status: 'FAILED' }))
    expect(await count('t1')).toBeUndefined()
    expect(await find()).toMatchObject({ imageCount: 1 })
  })

  it('hands the fence on only of what runs, without a transition', async () => {
    await insert({ status: 'RUNNING', attemptToken: 't1' })
    expect(await run((trx) => refenceGeneration(trx, 'gen_1', 't2'))).toBe(true)
    expect(await find()).toMatchObject({ attemptToken: 't2', sequence: 1 })
    await insert({ id: 'gen_2' })
    expect(await run((trx) => refenceGeneration(trx, 'gen_2', 't2'))).toBe(false)
  })

  it('lists what is past its deadline and has not ended, the longest overdue first', async () => {
    await insert({ id: 'gen_1', deadlineAt: 200 })
    await insert({ id: 'gen_2', deadlineAt: 100, status: 'RUNNING' })
    await insert({ id: 'gen_3', deadlineAt: 100, status: 'FAILED', finishedAt: 50 })
    await insert({ id: 'gen_4', deadlineAt: 201 })
    await insert({ id: 'gen_5' })
    const overdue = async (limit: number) =>
      (await listOverdueGenerations(database.read, 200, limit)).map(({ id }) => id)
    expect(await overdue(10)).toEqual(['gen_2', 'gen_1'])
    expect(await overdue(1)).toEqual(['gen_2'])
  })

  it('blanks what the client wrote, and keeps what the books need', async () => {
    const inputs = '[{"blobKey":"gen_1/input-secret.png"}]'
    await insert({ prompt: 'secret', negativePrompt: 'secret', metadata: '"secret"', error: '"secret"', inputs }, [
      'secret',
    ])
    await run((trx) => insertAttempt(trx, attemptRow({ problem: '"secret"', reference: '{"jobId":"secret"}' })))
    await run((trx) => blankGeneration(trx, 'gen_1', 5))
    const attempts = await listAttempts(database.read, ['gen_1'])
    const tags = await database.read.selectFrom('generationTags').selectAll().execute()
    expect(JSON.stringify([await find(), attempts, tags])).not.toContain('secret')
    expect(await find()).toMatchObject({ deletedAt: 5, heldMicros: 40_000, model: 'test/easel' })
  })

  describe('attempts', () => {
    beforeEach(() => insert({ status: 'RUNNING', attemptToken: 't1' }))

    it('are listed by generation and number, and found', async () => {
      await insert({ id: 'gen_0' })
      for (const [id, generationId, number] of [
        ['att_3', 'gen_1', 2],
        ['att_2', 'gen_1', 1],
        ['att_1', 'gen_0', 1],
      ] as const) {
        await run((trx) => insertAttempt(trx, attemptRow({ id, generationId, number })))
      }
      const listed = await listAttempts(database.read, ['gen_1', 'gen_0'])
      expect(listed.map(({ id }) => id)).toEqual(['att_1', 'att_2', 'att_3'])
      expect(await listAttempts(database.read, [])).toEqual([])
      expect(await findLatestAttempt(database.read, 'gen_1')).toMatchObject({ id: 'att_3' })
      expect(await findLatestAttempt(database.read, 'gen_9')).toBeUndefined()
      expect(await findAttempt(database.read, 'att_2')).toMatchObject({ number: 1 })
    })

    it('of one generation never share a number', async () => {
      await run((trx) => insertAttempt(trx, attemptRow()))
      await expect(run((trx) => insertAttempt(trx, attemptRow({ id: 'att_2' })))).rejects.toThrow(/unique/i)
    })

    it('are noted on under their fence, until they end', async () => {
      await run((trx) => insertAttempt(trx, attemptRow()))
      const note = (attemptToken: string) =>
        run((trx) =>
          updateOwnAttempt(trx, { attemptId: 'att_1', generationId: 'gen_1', attemptToken }, { phase: 'ACCEPTED' }),
        )
      expect(await note('t2')).toBe(false)
      expect(await findAttempt(database.read, 'att_1')).toMatchObject({ phase: 'NOT_SENT' })
      expect(await note('t1')).toBe(true)
      const end = { outcome: 'FAILED', problem: null, finishedAt: 9 } as const
      expect(await run((trx) => endAttempt(trx, 'att_1', end))).toBe(true)
      expect(await note('t1')).toBe(false)
      expect(await run((trx) => endAttempt(trx, 'att_1', { ...end, outcome: 'SUCCEEDED' }))).toBe(false)
      expect(await findAttempt(database.read, 'att_1')).toMatchObject({ outcome: 'FAILED', phase: 'ACCEPTED' })
    })
  })
})

function attemptRow(row: Partial<AttemptRow> = {}): AttemptRow {
  return {
    id: 'att_1',
    generationId: 'gen_1',
    number: 1,
    provider: 'test',
    model: 'test/easel',
    phase: 'NOT_SENT',
    outcome: null,
    problem: null,
    providerRequestId: null,
    reference: null,
    startedAt: 1,
    finishedAt: null,
    ...row,
  }
}
