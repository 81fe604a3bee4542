import { createConnection, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startToyServer, TOY_VIEWER, type ToyServer } from '../../support/toy-server.ts'

let toy: ToyServer
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await toy.stop()
})

const MEBIBYTE = 1_048_576
const QUERY = 'query ($name: String) { hello(name: $name) }'

function greet(name: string, authorization = 'Bearer good') {
  return toy.post({ query: QUERY, variables: { name } }, { authorization })
}

/** Sends the beginning of a request, and then what it is told to. */
function begin(head: string) {
  const socket = createConnection(toy.port, '127.0.0.1')
  sockets.push(socket)
  let received = ''
  const waiting: { readonly text: string; readonly resolve: () => void }[] = []
  socket.on('data', (data) => {
    received += data
    for (const each of waiting) if (received.includes(each.text)) each.resolve()
  })
  socket.on('error', () => undefined)
  socket.write(`POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${head}\r\n\r\n`)
  return {
    write: (text: string) => void socket.write(text),
    received: () => received,
    until: (text: string) =>
      new Promise<void>((resolve) => {
        if (received.includes(text)) resolve()
        else waiting.push({ text, resolve })
      }),
  }
}

describe('a body of more than a few words', () => {
  it('is taken of whoever is known, and of nobody else', async () => {
    toy = await startToyServer()
    const name = 'x'.repeat(3 * MEBIBYTE)
    expect((await greet(name)).status).toBe(200)
    const stranger = await greet(name, 'Bearer unknown')
    expect(stranger.status).toBe(401)
    expect((await stranger.json()).errors[0].extensions.code).toBe('UNAUTHENTICATED')
    expect((await greet('fox')).status).toBe(200)
  })

  it('of a stranger is refused by its declared length before a byte of it is taken', async () => {
    toy = await startToyServer()
    const request = begin(`expect: 100-continue\r\ncontent-length: ${3 * MEBIBYTE}`)
    await request.until('401')
    expect(request.received()).not.toContain('100 Continue')
  })

  it('of a stranger is refused as soon as it is too long for one', async () => {
    toy = await startToyServer()
    const request = begin('transfer-encoding: chunked')
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    request.write(chunk.repeat(17))
    await request.until('401')
  })

  it('of a known caller is invited once, and read to its end', async () => {
    toy = await startToyServer()
    const body = JSON.stringify({ query: QUERY, variables: { name: 'y'.repeat(2 * MEBIBYTE) } })
    const request = begin(
      `authorization: Bearer good\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: ${body.length}`,
    )
    await request.until('100 Continue')
    request.write(body)
    await request.until('Hello yyy')
    expect(request.received().match(/100 Continue/g)).toHaveLength(1)
  })

  it('is bounded, declared or not', async () => {
    toy = await startToyServer({ config: { limits: { jsonBytes: 2 * MEBIBYTE } } })
    expect((await greet('x'.repeat(2 * MEBIBYTE))).status).toBe(413)
    const request = begin('authorization: Bearer good\r\ntransfer-encoding: chunked')
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    request.write(chunk.repeat(33))
    await request.until('413')
    expect((await greet('fox')).status).toBe(200)
  })

  it('may hold pictures and no document of that length', async () => {
    toy = await startToyServer()
    const answer = await toy.post({ query: `{ hello } #${'x'.repeat(2 * MEBIBYTE)}` })
    expect(answer.status).toBe(413)
    expect((await answer.json()).errors[0].extensions.code).toBe('REQUEST_ENTITY_TOO_LARGE')
  })
})

describe('many of them', () => {
  const limits = { largeBodies: 2, largeBodiesPerAccount: 1, largeBodiesWaiting: 1 }
  const SIZE = 2 * MEBIBYTE

  /** A known caller that has sent a part of its body. */
  function beginBody(key: string) {
    const body = JSON.stringify({ query: QUERY, variables: { name: key.repeat(SIZE / key.length) } })
    const request = begin(
      `authorization: Bearer ${key}\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: ${body.length}`,
    )
    return { ...request, send: () => request.write(body) }
  }

  it('wait for their turn, an account’s own behind one another', async () => {
    toy = await startToyServer({ config: { limits } })
    toy.viewers.set('other', { ...TOY_VIEWER, accountId: 'acc_2' })
    const first = beginBody('good')
    await first.until('100 Continue')
    const second = beginBody('good')
    const other = beginBody('other')
    await other.until('100 Continue')
    expect(second.received()).toBe('')
    first.send()
    await second.until('100 Continue')
    for (const each of [second, other]) each.send()
    await Promise.all([first, second, other].map((each) => each.until('200 OK')))
  })

  it('are refused where too many wait, and a small one never waits', async () => {
    toy = await startToyServer({ config: { limits } })
    const first = beginBody('good')
    await first.until('100 Continue')
    const waiting = beginBody('good')
    const refused = beginBody('good')
    await Promise.race([waiting.until('503'), refused.until('503')])
    expect((await greet('fox')).status).toBe(200)
    first.send()
    await first.until('200 OK')
  })

  it('leave their place when their sender goes', async () => {
    toy = await startToyServer({ config: { limits } })
    const gone = beginBody('good')
    await gone.until('100 Continue')
    const next = beginBody('good')
    sockets[0]?.destroy()
    await next.until('100 Continue')
    next.send()
    await next.until('200 OK')
  })
})
