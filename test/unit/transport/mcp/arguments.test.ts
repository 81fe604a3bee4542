import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { InvalidInputError } from '../../../../src/errors.ts'
import { readArguments } from '../../../../src/transport/mcp/argument-faults.ts'
import { inArgumentNames } from '../../../../src/transport/mcp/argument-names.ts'
import { REQUEST_ARGUMENTS, readRequest } from '../../../../src/transport/mcp/generation-arguments.ts'

const schema = z.strictObject({
  word: z.string(),
  number: z.int().min(1).max(9).default(3),
  kind: z.enum(['A', 'B']).optional(),
  list: z.array(z.strictObject({ id: z.string() })).optional(),
})

function faultsOf(args: unknown) {
  try {
    readArguments(schema, args)
  } catch (error) {
    if (error instanceof InvalidInputError) return error.fields
    throw error
  }
  return []
}

describe('arguments', () => {
  it('are read with their defaults', () => {
    expect(readArguments(schema, { word: 'x' })).toEqual({ word: 'x', number: 3 })
  })

  it('are told all that is wrong with them, each by its path', () => {
    expect(faultsOf({ word: 7, number: 12, kind: 'C', list: [{ id: 'x' }, { ID: 'y' }], numbr: 1, other: 1 })).toEqual([
      { path: 'word', message: 'It must be text.', allowed: [] },
      { path: 'number', message: 'It must be at most 9.', allowed: [] },
      { path: 'kind', message: 'It must be one of the values that are allowed.', allowed: ['A', 'B'] },
      { path: 'list.1.id', message: 'It has to be given.', allowed: [] },
      { path: 'list.1.ID', message: 'There is no such argument.', allowed: [] },
      { path: 'numbr', message: 'There is no such argument.', allowed: ['number'] },
      { path: 'other', message: 'There is no such argument.', allowed: [] },
    ])
  })

  it('are listed where an unknown one is near to none of them', () => {
    expect(faultsOf({ word: 'x', sudo: true })).toEqual([
      { path: 'sudo', message: 'There is no such argument.', allowed: ['word', 'number', 'kind', 'list'] },
    ])
  })

  it.each([[[]], ['text'], [7]])('that are no object are refused: %j', (args) => {
    expect(faultsOf(args)).toEqual([{ path: 'arguments', message: 'It must be an object.', allowed: [] }])
  })

  it('that are missing altogether are told what has to be given', () => {
    for (const args of [undefined, null, {}]) expect(faultsOf(args)).toMatchObject([{ path: 'word' }])
  })

  it('are told of twenty faults at most, and of long names the beginning', () => {
    const faults = faultsOf({
      word: 'x',
      ...Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`${'n'.repeat(999)}${i}`, 1])),
    })
    expect(faults).toHaveLength(20)
    expect(Math.max(...faults.map(({ path }) => path.length))).toBe(100)
  })
})

describe('a request', () => {
  it('keeps every argument', () => {
    const given = {
      prompt: 'a fox',
      model: 'm',
      provider: 'p',
      negative_prompt: 'n',
      size: '1x1',
      aspect_ratio: '1:1',
      width: 1,
      height: 2,
      count: 3,
      quality: 'q',
      style: 's',
      background: 'OPAQUE',
      output_format: 'PNG',
      output_compression: 4,
      seed: 5,
      guidance_scale: 6.5,
      enhance_prompt: true,
      watermark: false,
      reference_images: [{ image_id: 'img_1' }, { upload_id: 'upl_1' }],
      mask: { upload_id: 'upl_2' },
      provider_options: { steps: 7 },
      strict: false,
      fallback_models: ['f'],
      max_cost: '0.25',
      deadline_seconds: 8,
      priority: 'HIGH',
      tags: ['t'],
    } as const
    expect(Object.keys(given)).toEqual(Object.keys(REQUEST_ARGUMENTS))
    const args = z.strictObject(REQUEST_ARGUMENTS).parse(given)
    expect(readRequest(args, 'key')).toEqual({
      prompt: 'a fox',
      model: 'm',
      provider: 'p',
      negativePrompt: 'n',
      size: '1x1',
      aspectRatio: '1:1',
      width: 1,
      height: 2,
      count: 3,
      quality: 'q',
      style: 's',
      background: 'OPAQUE',
      outputFormat: 'PNG',
      outputCompression: 4,
      seed: 5,
      guidanceScale: 6.5,
      enhancePrompt: true,
      watermark: false,
      referenceImages: [{ imageId: 'img_1' }, { uploadId: 'upl_1' }],
      mask: { uploadId: 'upl_2' },
      providerOptions: { steps: 7 },
      strict: false,
      fallbackModels: ['f'],
      maxCost: '0.25',
      deadlineSeconds: 8,
      priority: 'HIGH',
      tags: ['t'],
      previews: 0,
      idempotencyKey: 'key',
      providerApiKey: null,
      webhookUrl: null,
      metadata: null,
      endUser: null,
    })
  })

  it('is told what is wrong with it in the names of arguments', async () => {
    const paths = ['maxCost', 'fallbackModels.0', 'referenceImages.1.imageId', 'providerOptions.cfgScale', 'size']
    const fields = paths.map((path) => ({ path, message: 'No.', allowed: [] }))
    const told = await inArgumentNames(Promise.reject(new InvalidInputError(fields))).catch((error: unknown) => error)
    expect(told).toMatchObject({
      fields: [
        { path: 'max_cost' },
        { path: 'fallback_models.0' },
        { path: 'reference_images.1.image_id' },
        { path: 'provider_options.cfgScale' },
        { path: 'size' },
      ],
    })
  })
})
