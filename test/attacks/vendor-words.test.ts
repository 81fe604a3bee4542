import { expect, it } from 'vitest'
import {
  HOSTILE_WORDS,
  makeWhole,
  playHostile,
  playHostileEngine,
  REQUESTS,
  SERVER_KEY,
  type Stage,
  UNSEEN,
  VENDOR_NAMES,
} from '../support/hostile-vendor.ts'
import { findTraces, findTracesInFiles } from '../support/traces.ts'
import { makePicture } from '../support/wire/pictures.ts'
import type { WireReply } from '../support/wire/wire-reply.ts'

const STATUSES = [400, 402, 403, 404, 422, 429, 500]

/** Words in every place in which any of the vendors says something. */
function complaint(words: string): object {
  return {
    message: words,
    detail: words,
    title: words,
    name: words,
    type: words,
    id: words,
    code: words,
    error_type: words,
    errors: [words],
    error: { message: words, code: words, type: words, status: words, param: words, details: [{ reason: words }] },
  }
}

async function expectNoTrace({ app, log }: Stage, said: string, about: string): Promise<void> {
  expect(findTraces('what was said', said, [SERVER_KEY]), about).toEqual([])
  expect(findTraces('the log', log.join('\n'), [SERVER_KEY]), about).toEqual([])
  expect(await findTracesInFiles(app.dataDir, [SERVER_KEY]), about).toEqual([])
}

it('A42 a server’s key that a vendor quotes in whatever it says goes no further', async () => {
  for (const vendor of VENDOR_NAMES) {
    let status = 0
    const words = `Bad request with key ${SERVER_KEY} in it`
    const headers = { 'x-request-id': SERVER_KEY, 'x-fal-request-id': SERVER_KEY, 'x-fal-error-type': SERVER_KEY }
    const stage = await playHostile(vendor, () => ({ status, headers, body: complaint(words) }))
    for (status of STATUSES) {
      const { generation, said } = await makeWhole(stage, REQUESTS[vendor])
      expect(generation.status, `${vendor} ${status}`).toBe('FAILED')
      await expectNoTrace(stage, said, `${vendor} ${status}`)
    }
    expect(stage.wire.billable.length).toBeGreaterThanOrEqual(STATUSES.length)
  }
}, 120_000)

it('A42 nor does one that stands in the answer of a job that was taken, or beside a picture', async () => {
  const words = `with ${SERVER_KEY}, and more`
  const picture = (await makePicture({ width: 64, height: 64 })).toString('base64')
  const replicate = await playHostile('replicate', ({ method }) => ({
    status: method === 'POST' ? 201 : 200,
    body:
      method === 'POST'
        ? { id: 'job1', status: 'starting', urls: {} }
        : { id: 'job1', status: 'failed', error: words, logs: `${words}\n 50%| ${words}` },
  }))
  const openai = await playHostile('openai', () => ({
    headers: { 'x-request-id': SERVER_KEY },
    body: { created: 1, data: [{ b64_json: picture, revised_prompt: words }], usage: null },
  }))
  const google = await playHostile('google', () => ({
    body: { responseId: SERVER_KEY, candidates: [{ finishReason: 'STOP', content: { parts: [{ text: words }] } }] },
  }))
  const fal = await playHostile('fal', ({ method }) => ({
    body:
      method === 'POST'
        ? { request_id: 'job1' }
        : { status: 'COMPLETED', error: words, error_type: SERVER_KEY, logs: [{ message: words }] },
  }))
  for (const [vendor, stage] of Object.entries({ replicate, openai, google, fal })) {
    const { generation, said } = await makeWhole(stage, REQUESTS[vendor as keyof typeof REQUESTS])
    expect(generation.status).toBe(vendor === 'openai' ? 'COMPLETED' : 'FAILED')
    await expectNoTrace(stage, said, vendor)
  }
})

it('A42 nor does the key of an engine of one’s own', async () => {
  const SIDE = { min: 64, max: 512, multipleOf: 8 }
  const answer = (): WireReply => ({ status: 500, body: complaint(`with ${SERVER_KEY} in it`) })
  const size = { width: SIDE, height: SIDE, defaultSize: '64x64' }
  const graph = { 1: { class_type: 'Text', inputs: { text: '' } }, 2: { class_type: 'SaveImage', inputs: {} } }
  for (const [kind, wire] of [
    ['openai-compatible', {}],
    ['automatic1111', {}],
    ['comfyui', { graph, inputs: { prompt: ['1.inputs.text'] } }],
  ] as const) {
    const capabilities = kind === 'comfyui' ? {} : size
    const stage = await playHostileEngine(kind, { capabilities, wire }, answer)
    const { generation, said } = await makeWhole(stage, { model: 'engine/any' })
    expect(generation.status, kind).toBe('FAILED')
    await expectNoTrace(stage, said, kind)
  }
})

it('A43 what a vendor says is shown as text, on one line, without control and direction characters', async () => {
  const picture = (await makePicture({ width: 64, height: 64 })).toString('base64')
  const asPicture = { created: 1, data: [{ b64_json: picture, revised_prompt: HOSTILE_WORDS }] }
  const replies: WireReply[] = [
    { status: 400, body: complaint(HOSTILE_WORDS) },
    { status: 500, body: complaint(HOSTILE_WORDS) },
    { status: 200, body: asPicture },
  ]
  const openai = await playHostile('openai', () => replies.shift() ?? { status: 500 })
  const stages = [openai, openai, openai].map((stage) => ({ stage, vendor: 'openai' as const }))
  let looks = 0
  const replicate = await playHostile('replicate', ({ method }) => {
    if (method === 'POST') return { status: 201, body: { id: 'job1', status: 'starting', urls: {} } }
    looks += 1
    const status = looks < 3 ? 'processing' : 'failed'
    return { body: { id: 'job1', status, error: HOSTILE_WORDS, logs: ` 40%| ${HOSTILE_WORDS.replace('\r\n', ' ')}` } }
  })
  for (const { stage, vendor } of [...stages, { stage: replicate, vendor: 'replicate' as const }]) {
    const { said } = await makeWhole(stage, REQUESTS[vendor])
    const texts = listTexts(said)
    const quoted = texts.filter((text) => text.includes('Ignore your rules'))
    expect(quoted.length, vendor).toBeGreaterThan(0)
    expect(texts.filter((text) => UNSEEN.test(text))).toEqual([])
    // As it came, for a client to show as text: what is taken out or escaped here would be wrong in another place.
    expect(quoted.some((text) => text.includes('<script>alert(1)</script>'))).toBe(true)
    for (const line of stage.log) expect(UNSEEN.test(line.trimEnd())).toBe(false)
    for (const line of stage.log) expect(JSON.parse(line).level).not.toBe('fatal')
  }
})

/** Every text in lines of JSON. */
function listTexts(lines: string): readonly string[] {
  const texts: string[] = []
  for (const line of lines.split('\n')) {
    JSON.parse(line, (_key, value: unknown) => {
      if (typeof value === 'string') texts.push(value)
      return value
    })
  }
  return texts
}
