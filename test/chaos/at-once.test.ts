import { describe, expect, it } from 'vitest'
import { GenerationDocument, HistoryDocument, ViewerDocument } from '../../schema/generated/operations.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { follow, generate, QUICK, quick, request } from '../support/generating.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import { createTestAccount, PRICED_PAINTER, startApp } from '../support/start-app.ts'

describe('many requests in one moment', () => {
  it('F4 make one generation and one hold when all carry one idempotency key', async () => {
    await using server = await startApp({ models: [PRICED_PAINTER] })
    const { accountId, secret } = await createTestAccount(server.app, { billing: 'PREPAID', creditMicros: 1_000_000 })
    const client = server.clientOf(secret)
    const input = { ...quick('delay=60000'), idempotencyKey: 'checkout-1' }
    const answers = await Promise.all(Array.from({ length: 50 }, () => request(client, input)))

    const accepted = answers.filter((answer) => answer.__typename === 'GenerateImageSuccess')
    expect(accepted).toHaveLength(50)
    expect(new Set(accepted.map(({ generation }) => generation.id)).size).toBe(1)
    expect(accepted.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect((await client.run(HistoryDocument, { first: 100 })).history.edges).toHaveLength(1)
    const { viewer } = await client.run(ViewerDocument, {})
    expect(viewer.account.held.amount).toBe('0.040000')
    expect(await countEntries(server, accountId)).toEqual({ GRANT: 1, HOLD: 1 })
  })

  it('F4 are accepted as far as the credit goes, and not once more', async () => {
    await using server = await startApp({ models: [PRICED_PAINTER] })
    const { accountId, secret } = await createTestAccount(server.app, { billing: 'PREPAID', creditMicros: 40_000 })
    const client = server.clientOf(secret)
    const answers = await Promise.all(Array.from({ length: 100 }, () => request(client, QUICK)))

    const accepted = answers.filter((answer) => answer.__typename === 'GenerateImageSuccess')
    const refused = answers.filter((answer) => answer.__typename === 'InsufficientCreditsError')
    expect([accepted.length, refused.length]).toEqual([1, 99])
    const id = accepted[0]?.generation.id ?? ''
    await follow(client, id)
    expect((await client.run(GenerationDocument, { id })).generation).toMatchObject({
      status: 'COMPLETED',
      cost: { charged: { amount: '0.040000' } },
    })
    const { viewer } = await client.run(ViewerDocument, {})
    expect(viewer.account).toMatchObject({ balance: { amount: '0.000000' }, held: { amount: '0.000000' } })
    expect(await countEntries(server, accountId)).toEqual({ GRANT: 1, HOLD: 1, CAPTURE: 1 })
  })

  it('F5 create nothing where the key was given to another request', async () => {
    await using server = await startApp({ models: [PRICED_PAINTER] })
    const { accountId, secret } = await createTestAccount(server.app, { billing: 'PREPAID', creditMicros: 1_000_000 })
    const client = server.clientOf(secret)
    const { generation } = await generate(client, { ...QUICK, idempotencyKey: 'k' })
    const others = Array.from({ length: 20 }, (_, index) => ({ ...quick(`seed=${index}`), idempotencyKey: 'k' }))
    const answers = await Promise.all(others.map((input) => request(client, input)))
    expect(new Set(answers.map(({ __typename }) => __typename))).toEqual(new Set(['IdempotencyConflictError']))
    await follow(client, generation.id)
    expect((await client.run(HistoryDocument, { first: 100 })).history.edges).toHaveLength(1)
    expect(await countEntries(server, accountId)).toEqual({ GRANT: 1, HOLD: 1, CAPTURE: 1 })
  })

  it('F6 of a client that is cut off before the answer, and asks again, are one generation', async () => {
    await using proxy = await startFaultProxy(0, () => ({ kind: 'cut', afterBytes: 1 }))
    await using server = await startApp({
      models: [PRICED_PAINTER],
      env: { PICTOR_ALLOWED_HOSTS: `127.0.0.1:${proxy.port}` },
    })
    proxy.leadTo(Number(new URL(server.url).port))
    const { accountId, secret } = await createTestAccount(server.app, { billing: 'PREPAID', creditMicros: 1_000_000 })
    const unlucky = createGraphqlClient({ url: `http://127.0.0.1:${proxy.port}/graphql`, secret })
    const input = { ...QUICK, idempotencyKey: 'k' }
    for (let time = 0; time < 10; time++) await expect(request(unlucky, input)).rejects.toThrow(TypeError)
    expect(proxy.cuts()).toBe(10)

    const client = server.clientOf(secret)
    const { generation, replayed } = await generate(client, input)
    expect(replayed).toBe(true)
    await follow(client, generation.id)
    expect((await client.run(HistoryDocument, { first: 100 })).history.edges).toHaveLength(1)
    expect(await countEntries(server, accountId)).toEqual({ GRANT: 1, HOLD: 1, CAPTURE: 1 })
  })
})

async function countEntries({ app }: Awaited<ReturnType<typeof startApp>>, accountId: string) {
  const rows = await app.foundations.database.read
    .selectFrom('ledgerEntries')
    .select(['kind', (eb) => eb.fn.countAll<number>().as('entries')])
    .where('accountId', '=', accountId)
    .groupBy('kind')
    .execute()
  return Object.fromEntries(rows.map(({ kind, entries }) => [kind, Number(entries)]))
}
