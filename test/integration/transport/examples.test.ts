import { gql as apolloGql } from '@apollo/client'
import { gql } from '@urql/core'
import type { Client } from 'graphql-ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createApolloClient } from '../../../examples/apollo.ts'
import { createResumingClient } from '../../../examples/resume-subscription.ts'
import { createUrqlClient } from '../../../examples/urql.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { startToyServer, type ToyServer } from '../../support/toy-server.ts'

const WATCH = `subscription Watch($id: String!, $after: String) {
  imageStatus(id: $id, after: $after) { cursor sequence kind generation { id } }
}`

type Watched = { imageStatus: { sequence: number; kind: string } }

let toy: ToyServer
let proxy: FaultProxy
let client: Client
let token: string
beforeEach(async () => {
  toy = await startToyServer()
  proxy = await startFaultProxy(toy.port)
  token = 'good'
  client = createResumingClient({
    url: `ws://127.0.0.1:${proxy.port}/graphql`,
    token: () => token,
    webSocketImpl: WebSocket,
    retryWait: () => new Promise((resolve) => setImmediate(resolve)),
  })
})
afterEach(async () => {
  await client.dispose()
  await proxy.stop()
  await toy.stop()
})

/** Sequences in the order in which they came; `onEvent` may cut and add. */
function watch(onEvent: (sequence: number) => void): Promise<number[]> {
  const seen: number[] = []
  return new Promise((resolve, reject) => {
    client.subscribe<Watched>(
      { query: WATCH, variables: { id: 'gen_1' } },
      {
        next: ({ data }) => {
          if (!data) return
          seen.push(data.imageStatus.sequence)
          onEvent(data.imageStatus.sequence)
        },
        error: reject,
        complete: () => resolve(seen),
      },
    )
  })
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe('the resuming client', () => {
  it('sees each event once and in order over a hundred cuts', async () => {
    let cuts = 0
    for (let n = 0; n < 20; n++) toy.log.append('gen_1', 'STARTED')
    const seen = await watch((sequence) => {
      // Half of the cuts come at once, and half with more events on the way.
      if (cuts < 100) {
        cuts += 1
        if (cuts % 2 === 0) proxy.cutAll()
        else setImmediate(proxy.cutAll)
      }
      if (sequence < 250) toy.log.append('gen_1', 'STARTED')
      else if (sequence === 269) toy.log.append('gen_1', 'COMPLETED')
    })
    expect(cuts).toBe(100)
    expect(seen).toEqual(upTo(270))
    await toy.log.untilWatchers(0)
  })

  it('goes on by itself after LAGGED, and does not show it', async () => {
    toy.log.append('gen_1', 'QUEUED')
    toy.log.append('gen_1', 'LAGGED')
    toy.log.append('gen_1', 'STARTED')
    toy.log.append('gen_1', 'COMPLETED')
    expect(await watch(() => undefined)).toEqual([1, 3, 4])
  })

  it('reads the token anew after the server has closed with 4403', async () => {
    toy.viewers.set('fresh', toy.viewers.get('good') ?? expect.fail())
    toy.viewers.delete('good')
    toy.log.append('gen_1', 'COMPLETED')
    const codes: unknown[] = []
    const forget = client.on('closed', (event) => {
      codes.push(event instanceof Object && 'code' in event ? event.code : event)
      token = 'fresh'
    })
    expect(await watch(() => undefined)).toEqual([1])
    forget()
    expect(codes).toEqual([4403])
  })
})

describe('urql', () => {
  it('queries, and watches over a cut', async () => {
    const urql = createUrqlClient(toy.url, client, 'good')
    const answer = await urql.query<{ whoami: string }>(gql`{ whoami }`, {}).toPromise()
    expect(answer.data).toEqual({ whoami: 'acc_1' })
    for (let n = 0; n < 3; n++) toy.log.append('gen_1', 'STARTED')
    const seen: number[] = []
    await new Promise<void>((resolve) => {
      urql.subscription<Watched>(gql(WATCH), { id: 'gen_1' }).subscribe(({ data, hasNext }) => {
        const sequence = data?.imageStatus.sequence
        if (sequence !== undefined && seen.at(-1) !== sequence) seen.push(sequence)
        if (sequence === 2) proxy.cutAll()
        if (sequence === 3) toy.log.append('gen_1', 'COMPLETED')
        if (!hasNext) resolve()
      })
    })
    expect(seen).toEqual(upTo(4))
  })
})

describe('Apollo Client', () => {
  it('queries, and watches over a cut', async () => {
    const apollo = createApolloClient(toy.url, client, 'good')
    const { data } = await apollo.query<{ whoami: string }>({ query: apolloGql`{ whoami }` })
    expect(data).toEqual({ whoami: 'acc_1' })
    for (let n = 0; n < 3; n++) toy.log.append('gen_1', 'STARTED')
    const seen: number[] = []
    await new Promise<void>((resolve, reject) => {
      apollo.subscribe<Watched>({ query: apolloGql(WATCH), variables: { id: 'gen_1' } }).subscribe({
        next: (result) => {
          const sequence = result.data?.imageStatus.sequence ?? 0
          seen.push(sequence)
          if (sequence === 2) proxy.cutAll()
          if (sequence === 3) toy.log.append('gen_1', 'COMPLETED')
        },
        error: reject,
        complete: resolve,
      })
    })
    expect(seen).toEqual(upTo(4))
  })
})
