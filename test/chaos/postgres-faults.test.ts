import { sql } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import {
  GenerateImageDocument,
  type GenerateImageInput,
  GenerationDocument,
  HistoryDocument,
} from '../../schema/generated/operations.ts'
import type { Database } from '../../src/store/database.ts'
import { startDatabaseProcess } from '../support/child-process.ts'
import { describeOnEachDatabase, describeOnPostgres, type OpenTestDatabase } from '../support/databases.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { follow, generate, make, QUICK, quick } from '../support/generating.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { assertInvariants } from '../support/invariants.ts'
import { SOON } from '../support/metrics.ts'
import { EXTRA_MIGRATIONS } from '../support/migrations.ts'
import { PRICED_PAINTER, startApp } from '../support/start-app.ts'
import { expectWholeStory } from '../support/watch-client.ts'

const ENDINGS = 6

/** A server that reaches PostgreSQL through a proxy, and another way in that stays. */
async function startBehind(open: OpenTestDatabase) {
  let fault: Fault | undefined
  const url = new URL(open.url())
  const proxy = await startFaultProxy(Number(url.port || 5432), () => fault)
  url.port = String(proxy.port)
  const server = await startApp({ models: [PRICED_PAINTER], env: { DATABASE_URL: url.href } })
  onTestFinished(async () => {
    fault = undefined
    await server[Symbol.asyncDispose]()
    await proxy.stop()
  })
  const database = await open({ migrate: false })
  const meet = (next: Fault | undefined) => {
    fault = next
  }
  return { server, proxy, database, meet }
}

/** Asks again, with the same key, for as long as it is told to. */
async function insist(client: GraphqlClient, input: GenerateImageInput): Promise<string> {
  for (;;) {
    const { data, errors } = await client.ask(GenerateImageDocument, { input })
    if (data?.generateImage.__typename === 'GenerateImageSuccess') return data.generateImage.generation.id
    expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
  }
}

/** As the server's own administrator would, or its restart. */
async function endConnections(database: Database, proxy: FaultProxy): Promise<number> {
  const ports = proxy.upstreamPorts()
  if (ports.length === 0) return 0
  const { rows } = await sql<{ ended: boolean }>`
    select pg_terminate_backend(pid, 5000) as "ended" from pg_stat_activity
    where client_port in (${sql.join(ports)})`.execute(database.read)
  return rows.filter(({ ended }) => ended).length
}

describeOnPostgres('PostgreSQL', (open) => {
  it(`F24 that ends every connection, ${ENDINGS} times in the midst of work, costs no generation, no step and no money`, async () => {
    const { server, proxy, database } = await startBehind(open)
    const { client } = server
    const ids: string[] = []
    let ended = 0
    for (let time = 0; time < ENDINGS; time++) {
      const asking = Array.from({ length: 5 }, (_, index) =>
        insist(client, { ...quick('delay=100 steps=4', { count: 2 }), idempotencyKey: `order-${time}-${index}` }),
      )
      await Promise.race(asking)
      ended += await endConnections(database, proxy)
      ids.push(...(await Promise.all(asking)))
    }
    expect(ended).toBeGreaterThan(ENDINGS)
    expect(new Set(ids).size).toBe(5 * ENDINGS)
    for (const id of ids) await expectFairEnd(client, id)
    expect((await client.run(HistoryDocument, { first: 100 })).history.edges).toHaveLength(ids.length)
    await assertInvariants(database, server.app.foundations.storage)
  }, 120_000)

  it('F24 that is away for a while is told of as such, and what was under way goes on when it is back', async () => {
    const { server, proxy, database, meet } = await startBehind(open)
    const { client } = server
    const { generation } = await generate(client, quick('delay=1500 steps=6'))
    meet({ kind: 'refusal' })
    proxy.cutAll()
    const { status, errors } = await client.ask(GenerateImageDocument, { input: QUICK })
    expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
    expect(status).toBe(503)
    expect((await fetch(`${server.origin}/readyz`)).status).toBe(503)
    expect((await fetch(`${server.origin}/healthz`)).status).toBe(200)
    meet(undefined)
    await expectFairEnd(client, generation.id)
    await make(client, QUICK)
    await assertInvariants(database, server.app.foundations.storage)
  })

  it.each([
    ['serialization failure', '40001'],
    ['deadlock', '40P01'],
  ])('F25 with a %s is asked again three times, and then the caller is', async (_, code) => {
    const { server, database } = await startBehind(open)
    await failInserts(database, code, 3)
    const { id } = await make(server.client, QUICK)
    await failInserts(database, code, 4)
    const { errors } = await server.client.ask(GenerateImageDocument, { input: QUICK })
    expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
    const { history } = await server.client.run(HistoryDocument, { first: 10 })
    expect(history.edges.map(({ node }) => node.id)).toEqual([id])
    await make(server.client, QUICK)
    await assertInvariants(database, server.app.foundations.storage)
  })

  it('F37 that a newer version has brought up to date serves the older one until that stops, and no longer', async () => {
    const { server } = await startBehind(open)
    await make(server.client, QUICK)
    await open({ migrations: EXTRA_MIGRATIONS })
    await make(server.client, QUICK)
    await expect(startApp({ env: { DATABASE_URL: open.url() } })).rejects.toThrow('a newer version has written it')
  })
})

describeOnEachDatabase('a new version', (open) => {
  it('F37 that is killed half-way through its migration leaves it to the next one to do', async () => {
    await (await open()).close()
    const killed = await startDatabaseProcess('migrate', open.url())
    await killed.kill()
    await expect
      .poll(() => open({ migrations: EXTRA_MIGRATIONS }).then(() => 'up to date', String), SOON)
      .toBe('up to date')
  })
})

/** Completed; or, where the very step of sending was lost, told as unknown and not paid for. */
async function expectFairEnd(client: GraphqlClient, id: string): Promise<void> {
  await expect.poll(() => storyOf(client, id), { timeout: 60_000, interval: 10 }).not.toBeNull()
  const { generation } = await client.run(GenerationDocument, { id })
  if (generation?.status === 'COMPLETED') return expect(generation.problems).toEqual([])
  expect(generation).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_OUTCOME' } })
}

/** Comes back where the watcher was told to; null: it was. */
async function storyOf(client: GraphqlClient, id: string): Promise<'whole' | null> {
  const events = await follow(client, id).catch(() => null)
  if (events === null) return null
  expectWholeStory(events)
  return 'whole'
}

/** The next inserts of generations fail so many times. A sequence counts, since no rollback takes it back. */
async function failInserts(database: Database, code: string, times: number): Promise<void> {
  await sql`drop trigger if exists "fault" on "generations"`.execute(database.read)
  await sql`drop sequence if exists "faults"`.execute(database.read)
  await sql`create sequence "faults"`.execute(database.read)
  await sql`create or replace function "fail"() returns trigger language plpgsql as ${sql.lit(`
    begin
      if nextval('faults') <= ${times} then
        raise exception 'injected' using errcode = '${code}';
      end if;
      return new;
    end`)}`.execute(database.read)
  await sql`create trigger "fault" before insert on "generations" for each row execute function "fail"()`.execute(
    database.read,
  )
}
