import { describe, expect, it } from 'vitest'
import { stageOpenai } from './openai-stage.ts'

describe('previews on the wire', () => {
  it('makes each image by a stream of its own, and tells which image a preview is of', async () => {
    const { generate, wire, log } = await stageOpenai({ count: 2, previews: 3 }, ['ok partials=2', 'ok partials=2'])
    const output = await generate()
    for (const { json } of wire.billable) expect(json).toMatchObject({ n: 1, stream: true, partial_images: 3 })
    expect(log.previews.map(({ index }) => index).sort()).toEqual([0, 0, 1, 1])
    expect(log.images.map(({ index }) => index).sort()).toEqual([0, 1])
    expect(output.usage).toMatchObject({ inputTokens: 22, totalTokens: 22 + (output.usage?.imageOutputTokens ?? 0) })
    expect(output.requestId?.split(' ').sort()).toEqual(['req_1', 'req_2'])
  })

  it('counts what previews add to the tokens of the image', async () => {
    const parameters = { quality: 'low', width: 1024, height: 1024 }
    const { generate } = await stageOpenai({ previews: 3, parameters })
    expect((await generate()).usage).toMatchObject({ imageOutputTokens: 196 + 300, outputTokens: 0 })
  })

  it('is content with the final image where it comes before the previews', async () => {
    const { generate, log } = await stageOpenai({ previews: 3 }, ['early_final'])
    await generate()
    expect([log.previews.length, log.images.length]).toEqual([1, 1])
  })

  it('takes the image from an endpoint that knows no streams', async () => {
    const { generate, log } = await stageOpenai({ previews: 3 }, ['no_stream'])
    await generate()
    expect([log.previews.length, log.images.length]).toEqual([0, 1])
  })

  it('asks no further where the first answer holds for all', async () => {
    const modes = Array.from({ length: 10 }, () => 'quota')
    const { generate, wire } = await stageOpenai({ count: 10, previews: 1 }, modes)
    const output = await generate()
    expect(output.failures.map(({ error }) => error.kind)).toEqual(modes.map(() => 'QUOTA_EXHAUSTED'))
    expect(wire.billable.length).toBeLessThanOrEqual(4)
  })
})
