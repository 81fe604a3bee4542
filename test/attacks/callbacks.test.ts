import { expect, it } from 'vitest'
import { CALLERS, FLUX, openCaller, readWebhookUrl } from '../support/callers.ts'
import { follow, generate } from '../support/generating.ts'
import { expectWholeStory } from '../support/watch-client.ts'
import { CALL_KINDS } from '../support/wire/callbacks.ts'

const INPUT = { prompt: 'a red fox in snow', count: 1 }

it.each(CALLERS)(
  'A47 a callback of $name that somebody else signed, nobody did, that is old or was changed is refused and wakes nobody',
  async (caller) => {
    const { app, wire, vendorCalls } = await openCaller(caller)
    wire.script('ok held=job polls=0 calls=')
    const { generation } = await generate(app.client, { ...INPUT, model: caller.model })
    await wire.until(({ path }) => caller.looks.test(path))
    const kinds = CALL_KINDS.filter((kind) => kind !== 'good' && kind !== caller.blindTo)
    for (const kind of kinds) expect([kind, ...(await wire.callBack(kind))]).toEqual([kind, 401])
    expect(await vendorCalls('forged')).toBe(kinds.length)
    expect(await vendorCalls('heard')).toBe(0)
    wire.release()
    expectWholeStory(await follow(app.client, generation.id))
  },
)

it('A47 an address of callbacks is not to be guessed, and takes nothing but what a vendor sends', async () => {
  const { app, wire, vendorCalls } = await openCaller(FLUX)
  wire.script('ok held=job polls=0 calls=')
  const { generation } = await generate(app.client, { ...INPUT, model: FLUX.model })
  await wire.until(({ path }) => FLUX.looks.test(path))
  const webhookUrl = readWebhookUrl(wire.billable[0]?.json)
  const post = (url: string, body = '{}') => fetch(url, { method: 'POST', body })
  expect((await post(webhookUrl.replace('/0/', '/1/'))).status).toBe(404)
  expect((await post(`${app.origin}/callbacks/flux/att/0/${'A'.repeat(43)}`)).status).toBe(404)
  expect((await post(`${app.origin}/callbacks/`)).status).toBe(404)
  expect((await fetch(webhookUrl)).status).toBe(405)
  expect((await post(webhookUrl, ' '.repeat(8 * 1024 * 1024 + 1))).status).toBe(413)
  expect(await vendorCalls('too_large')).toBe(1)
  wire.release()
  expectWholeStory(await follow(app.client, generation.id))
})
