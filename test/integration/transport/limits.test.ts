import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery, Kind } from 'graphql'
import { afterEach, describe, expect, it } from 'vitest'
import type { CostQuery } from '../../../src/transport/server-options.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { startToyServer, type ToyServer, type ToyServerOptions } from '../../support/toy-server.ts'

let toy: ToyServer
afterEach(() => toy.stop())

const json = { accept: 'application/graphql-response+json' }

type Answer = { data?: unknown; errors?: { message: string; extensions: Record<string, unknown> }[] }

async function start(options: ToyServerOptions = {}): Promise<void> {
  toy = await startToyServer(options)
}

async function ask(body: object): Promise<{ status: number; code: unknown; message: string; body: Answer }> {
  const response = await toy.post(body, json)
  const answer: Answer = await response.json()
  const [error] = answer.errors ?? []
  return { status: response.status, code: error?.extensions.code, message: error?.message ?? '', body: answer }
}

/** The same operation on a socket: the errors, or the result's. */
async function askOnSocket(payload: object): Promise<string> {
  const raw = await openRawSocket(toy.wsUrl)
  await raw.init()
  raw.send({ type: 'subscribe', id: '1', payload })
  const message = JSON.stringify(await raw.next())
  raw.socket.close()
  return message
}

describe('the text of an operation', () => {
  it.each([
    ['20,000 fields', `{${' hello'.repeat(20_000)} }`],
    ['a depth of 50,000', `{ items(first: 1) ${'{ child '.repeat(50_000)}`],
    ['a list 50,000 deep', `{ hello(name: ${'['.repeat(50_000)}`],
  ])('is refused past its number of tokens: %s', async (_what, query) => {
    await start()
    expect(await ask({ query })).toMatchObject({ status: 400, code: 'GRAPHQL_PARSE_FAILED' })
    expect(toy.logLines.join()).not.toContain('"level":"error"')
  })

  it('is refused past its depth', async () => {
    await start()
    const deep = (levels: number) => `{ items(first: 1) ${'{ child '.repeat(levels)}{ name }${' }'.repeat(levels)} }`
    expect(await ask({ query: deep(13) })).toMatchObject({ status: 200 })
    expect(await ask({ query: deep(14) })).toMatchObject({ status: 400, code: 'QUERY_TOO_COMPLEX' })
  })

  it('is refused past its number of fields, however fragments multiply them', async () => {
    await start()
    const doubling = Array.from(
      { length: 12 },
      (_, n) => `fragment F${n} on Query { ...F${n + 1} a${n}: hello ...F${n + 1} }`,
    )
    const query = `{ ...F0 } ${doubling.join(' ')} fragment F12 on Query { hello }`
    const answer = await ask({ query })
    expect(answer).toMatchObject({ status: 400, code: 'QUERY_TOO_COMPLEX' })
    expect(answer.message).toContain('number of fields is 8191')
  })

  it('may hold ten mutations and not eleven, by alias or by fragment', async () => {
    await start()
    const aliases = (count: number) => Array.from({ length: count }, (_, n) => `m${n}: add`).join(' ')
    expect(await ask({ query: `mutation { ${aliases(10)} }` })).toMatchObject({ status: 200 })
    expect(await ask({ query: `mutation { ${aliases(11)} }` })).toMatchObject({
      status: 400,
      code: 'QUERY_TOO_COMPLEX',
    })
    const spread = `mutation { x: add ...F } fragment F on Mutation { ${aliases(10)} }`
    expect(await ask({ query: spread })).toMatchObject({ status: 400, code: 'QUERY_TOO_COMPLEX' })
    expect(await askOnSocket({ query: `mutation { ${aliases(11)} }` })).toContain('QUERY_TOO_COMPLEX')
    expect(toy.log.append('gen_1', 'QUEUED').sequence).toBe(11)
  })

  it('gets no suggestions for a name that does not exist', async () => {
    await start()
    const answer = await ask({ query: '{ helo }' })
    expect(answer.message).toBe('Cannot query field "helo" on type "Query".')
  })

  it('gets a bounded number of errors', async () => {
    await start()
    const { body } = await ask({ query: `{ ${Array.from({ length: 100 }, (_, n) => `x${n}`).join(' ')} }` })
    expect(body.errors?.length).toBeLessThanOrEqual(11)
  })
})

describe('cost', () => {
  /** Ten for each item asked for, by literal or by variable. */
  function costOf({ document, variables }: CostQuery) {
    const [operation] = document.definitions
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('The operation comes first.')
    let cost = 0
    for (const field of operation.selectionSet.selections) {
      if (field.kind !== Kind.FIELD) continue
      const value = field.arguments?.find((argument) => argument.name.value === 'first')?.value
      if (value?.kind === Kind.INT) cost += 10 * Number(value.value)
      if (value?.kind === Kind.VARIABLE) cost += 10 * Number(variables[value.name.value])
    }
    return { cost, depth: 1, breadth: 1 }
  }
  const options = { config: { limits: { cost: 100 } }, overrides: { costOf } }
  const query = 'query Page($first: Int!) { items(first: $first) { name } }'

  it('is counted with the variables of this call, also after a cheap call of the same document', async () => {
    await start(options)
    expect(await ask({ query, variables: { first: 1 } })).toMatchObject({ status: 200 })
    const dear = await ask({ query, variables: { first: 100 } })
    expect(dear).toMatchObject({ status: 400, code: 'QUERY_TOO_COMPLEX' })
    expect(dear.body.errors?.[0]?.extensions).toMatchObject({ requested: 1000, limit: 100 })
  })

  it('is counted on a socket', async () => {
    await start(options)
    expect(await askOnSocket({ query, variables: { first: 1 } })).toContain('"data"')
    expect(await askOnSocket({ query, variables: { first: 100 } })).toContain('QUERY_TOO_COMPLEX')
  })

  it('is counted for the operation that runs, not for the first of the document', async () => {
    await start(options)
    const two = `query Cheap { hello } query Dear { items(first: 50) { name } }`
    expect(await ask({ query: two, operationName: 'Cheap' })).toMatchObject({ status: 200 })
    expect(await ask({ query: two, operationName: 'Dear' })).toMatchObject({ code: 'QUERY_TOO_COMPLEX' })
  })
})

describe('introspection', () => {
  it('is answered where it is on', async () => {
    await start()
    const { body } = await ask({ query: getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }) })
    expect(buildClientSchema(body.data as IntrospectionQuery).getQueryType()?.name).toBe('Query')
  })

  it('is refused where it is off: over HTTP, as a stream and on a socket', async () => {
    await start({ config: { introspection: false } })
    const query = '{ __schema { types { name } } }'
    expect(await ask({ query })).toMatchObject({ status: 400, code: 'GRAPHQL_VALIDATION_FAILED' })
    const stream = await toy.post({ query }, { accept: 'text/event-stream' })
    expect(await stream.text()).toContain('GRAPHQL_VALIDATION_FAILED')
    expect(await askOnSocket({ query })).toContain('GRAPHQL_VALIDATION_FAILED')
    expect(await ask({ query: '{ hello __typename }' })).toMatchObject({ status: 200 })
  })
})

describe('time', () => {
  it('of a query is bounded', async () => {
    const clock = createFakeClock()
    let begun: () => void = () => undefined
    const untilBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    const slow = () => {
      begun()
      return new Promise<string>(() => undefined)
    }
    await start({ clock, slow })
    const answer = ask({ query: '{ slow }' })
    await untilBegun
    await clock.advance(31_000)
    expect(await answer).toMatchObject({ status: 503, code: 'UNAVAILABLE' })
  })
})
