import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../provider-contract.ts'
import { drawReference, stageOpenai } from './openai-stage.ts'

describe('an edit on the wire', () => {
  const fieldsOf = async (form: FormData | undefined) =>
    [...(form ?? [])].map(([name, value]) => [name, value instanceof File ? [value.name, value.type] : value])

  it('sends the pictures in their order, with names and types, and the mask', async () => {
    const pictures = [
      await drawReference('webp', 300, 200),
      await drawReference('jpeg', 640, 480),
      await drawReference('png', 16, 16),
    ]
    const mask = await drawReference('png', 300, 200)
    const { generate, wire, log } = await stageOpenai({
      modelName: 'gpt-image-1.5',
      count: 2,
      referenceImages: pictures,
      mask,
      parameters: {
        width: 1536,
        height: 1024,
        quality: 'medium',
        outputFormat: 'JPEG',
        outputCompression: 80,
        providerOptions: { input_fidelity: 'high' },
      },
    })
    const output = await generate()
    const [request] = wire.billable
    expect(request?.path).toBe('/v1/images/edits')
    const form = await request?.form()
    expect((await fieldsOf(form)).filter(([name]) => name !== 'mask' && name !== 'image[]')).toEqual([
      ['model', 'gpt-image-1.5'],
      ['prompt', 'a red fox in snow'],
      ['n', '2'],
      ['size', '1536x1024'],
      ['quality', 'medium'],
      ['output_format', 'jpeg'],
      ['output_compression', '80'],
      ['input_fidelity', 'high'],
    ])
    expect((await fieldsOf(form)).filter(([name]) => name === 'mask' || name === 'image[]')).toEqual([
      ['mask', ['mask.png', 'image/png']],
      ['image[]', ['image-1.webp', 'image/webp']],
      ['image[]', ['image-2.jpg', 'image/jpeg']],
      ['image[]', ['image-3.png', 'image/png']],
    ])
    const sent = await Promise.all((form?.getAll('image[]') ?? []).map((file) => (file as File).arrayBuffer()))
    expect(sent.map((bytes) => Buffer.from(bytes))).toEqual(pictures.map(({ bytes }) => bytes))
    expect(output.usage).toMatchObject({ imageInputTokens: 15 + 75 + 1, imageOutputTokens: 2 * 1568 })
    expect(log.images).toHaveLength(2)
  })

  it('streams an edit to show previews of it', async () => {
    const { generate, wire, log } = await stageOpenai({
      previews: 1,
      referenceImages: [await drawReference('png', 64, 64)],
    })
    await generate()
    const form = await wire.billable[0]?.form()
    expect([form?.get('stream'), form?.get('partial_images')]).toEqual(['true', '1'])
    expect(log.previews).toHaveLength(1)
    expect(log.images).toHaveLength(1)
  })

  it.each([
    ['an option of generations', { moderation: 'low' }, true, 'has no option `moderation`'],
    ['an option of edits', { input_fidelity: 'high' }, false, 'has no option `input_fidelity`'],
  ])('sends nothing with %s where there is no field for it', async (_, providerOptions, isEdit, message) => {
    const referenceImages = isEdit ? [await drawReference('png', 64, 64)] : []
    const { generate, wire, log } = await stageOpenai({ referenceImages, parameters: { providerOptions } })
    const error = await rejectionOf(generate())
    expect(error).toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT', providerBilled: false })
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
    expect([wire.requests, log.steps]).toEqual([[], []])
  })

  it.each([
    ['without a picture that it belongs to', 'png', 0],
    ['that is no PNG', 'webp', 1],
  ] as const)('sends no mask %s', async (_, format, pictures) => {
    const referenceImages = pictures === 1 ? [await drawReference('png', 64, 64)] : []
    const { generate, wire } = await stageOpenai({ referenceImages, mask: await drawReference(format, 64, 64) })
    await expect(generate()).rejects.toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT' })
    expect(wire.requests).toEqual([])
  })

  it("tells the vendor's complaint of a mask of another size", async () => {
    const { generate } = await stageOpenai({
      referenceImages: [await drawReference('png', 64, 64)],
      mask: await drawReference('png', 64, 32),
    })
    const message = 'OpenAI did not accept the request. It says: The mask is not of the size of the image.'
    await expect(generate()).rejects.toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'ANSWERED', message })
  })
})
