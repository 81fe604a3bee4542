import { describe, expect, it } from 'vitest'
import { drawReference, stageOpenai } from './openai-stage.ts'

describe('DALL·E on the wire, where it is still served', () => {
  const wire = { form: 'dall-e' }

  it('is not served by the vendor any more', async () => {
    const { generate } = await stageOpenai({ modelName: 'dall-e-2', wire, parameters: { width: 256, height: 256 } })
    await expect(generate()).rejects.toMatchObject({ kind: 'MODEL_RETIRED', providerCode: 'model_not_found' })
  })

  it('sends its own fields, one image a call, and hands over the revised prompt', async () => {
    const modes = ['serves_retired', 'serves_retired']
    const {
      generate,
      wire: sent,
      log,
    } = await stageOpenai(
      {
        modelName: 'dall-e-3',
        wire: { ...wire, oneByOne: true },
        count: 2,
        previews: 2,
        parameters: { width: 1024, height: 1024, quality: 'hd', style: 'natural' },
      },
      modes,
    )
    const output = await generate()
    expect(sent.billable.map(({ json }) => json)).toEqual(
      modes.map(() => ({
        model: 'dall-e-3',
        prompt: 'a red fox in snow',
        n: 1,
        size: '1024x1024',
        quality: 'hd',
        style: 'natural',
        response_format: 'b64_json',
      })),
    )
    expect(log.images.map(({ revisedPrompt }) => revisedPrompt)).toEqual(
      modes.map(() => 'A detailed view of a red fox in snow'),
    )
    expect(output.usage).toBeNull()
  })

  it('edits one picture, in the field that takes one', async () => {
    const size = { width: 256, height: 256 }
    const {
      generate,
      wire: sent,
      log,
    } = await stageOpenai(
      {
        modelName: 'dall-e-2',
        wire,
        count: 2,
        referenceImages: [await drawReference('png', 256, 256)],
        mask: await drawReference('png', 256, 256),
        parameters: size,
      },
      ['serves_retired'],
    )
    await generate()
    const form = await sent.billable[0]?.form()
    expect([...(form?.keys() ?? [])].sort()).toEqual([
      'image',
      'mask',
      'model',
      'n',
      'prompt',
      'response_format',
      'size',
    ])
    expect(log.images).toHaveLength(2)
  })
})
