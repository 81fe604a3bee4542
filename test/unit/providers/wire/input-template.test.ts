import { describe, expect, it } from 'vitest'
import type { ProviderRequest, ReferenceImage } from '../../../../src/providers/provider.ts'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { readInputTemplate } from '../../../../src/providers/wire/input-template.ts'
import { createProviderRequest, type RequestChanges } from '../../../contract/providers/wire-stage.ts'

const picture = (text: string): ReferenceImage => ({
  bytes: Buffer.from(text),
  mimeType: 'image/png',
  width: 1,
  height: 1,
})
const ask = (wire: object, changes: RequestChanges = {}): ProviderRequest =>
  createProviderRequest({ ...changes, wire: { ...wire } })
const fill = (wire: object, changes: RequestChanges = {}, indexes: readonly number[] = [0]) =>
  readInputTemplate(ask(wire, changes)).fill(indexes)

function faultOf(wire: object, changes: RequestChanges = {}): ProviderError {
  try {
    readInputTemplate(ask(wire, changes))
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
  return expect.unreachable('The template should have been refused.')
}

describe('An input template', () => {
  it('puts the values of the request in their places, as what they are', () => {
    const input = {
      prompt: '{prompt}',
      image_size: { width: '{width}', height: '{height}' },
      guidance_scale: '{guidanceScale}',
      tags: ['{style}', 'fixed'],
      prompt_upsampling: '{enhancePrompt}',
      safe: true,
    }
    const parameters = { width: 256, height: 320, guidanceScale: 3.5, style: 'vivid', enhancePrompt: false }
    expect(fill({ input }, { parameters })).toEqual({
      prompt: 'a red fox in snow',
      image_size: { width: 256, height: 320 },
      guidance_scale: 3.5,
      tags: ['vivid', 'fixed'],
      prompt_upsampling: false,
      safe: true,
    })
  })

  it('leaves out what the request says nothing of, and what has nothing left then', () => {
    const input = {
      prompt: '{prompt}',
      image_size: { width: '{width}', height: '{height}' },
      urls: ['{image}'],
      seed: '{seed}',
    }
    expect(fill({ input })).toEqual({ prompt: 'a red fox in snow' })
  })

  it('keeps what is empty by itself, and text that is no placeholder', () => {
    const input = { prompt: '{prompt}', loras: [], options: {}, template: '{prompt} in oil', none: null }
    expect(fill({ input })).toEqual({
      prompt: 'a red fox in snow',
      loras: [],
      options: {},
      template: '{prompt} in oil',
      none: null,
    })
  })

  it('does not look for placeholders in what the caller wrote', () => {
    const input = { prompt: '{prompt}', seed: '{seed}' }
    expect(fill({ input }, { prompt: '{seed}', parameters: { seed: 7 } })).toEqual({ prompt: '{seed}', seed: 7 })
  })

  it('sends the prompt alone where the catalogue says nothing', () => {
    expect(fill({})).toEqual({ prompt: 'a red fox in snow' })
  })

  it('writes values in the words of the model', () => {
    const wire = {
      input: { prompt: '{prompt}', format: '{outputFormat}', size: '{size}', enhance: '{enhancePrompt}' },
      words: { outputFormat: { JPEG: 'jpg' }, size: { '1024x768': 'landscape_4_3' }, enhancePrompt: { true: 'on' } },
    }
    const parameters = { outputFormat: 'JPEG', width: 1024, height: 768, enhancePrompt: true } as const
    expect(fill(wire, { parameters })).toMatchObject({ format: 'jpg', size: 'landscape_4_3', enhance: 'on' })
    const others = { outputFormat: 'PNG', width: 512, height: 512, enhancePrompt: false } as const
    expect(fill(wire, { parameters: others })).toMatchObject({ format: 'png', size: '512x512', enhance: false })
  })

  it('hands pictures over as data URIs, all of them or one by one', () => {
    const changes = { referenceImages: [picture('one'), picture('two')], mask: picture('three') }
    const one = 'data:image/png;base64,b25l'
    const two = 'data:image/png;base64,dHdv'
    const rest = { prompt: '{prompt}', mask_url: '{mask}' }
    expect(fill({ input: { ...rest, image_urls: '{images}' } }, changes)).toEqual({
      prompt: 'a red fox in snow',
      mask_url: 'data:image/png;base64,dGhyZWU=',
      image_urls: [one, two],
    })
    expect(fill({ input: { ...rest, a: '{image}', b: '{image2}', c: '{image3}' } }, changes)).toMatchObject({
      a: one,
      b: two,
    })
  })

  it('puts the options of the caller last', () => {
    const input = { prompt: '{prompt}', steps: 4 }
    expect(fill({ input }, { parameters: { providerOptions: { steps: 8 } } })).toMatchObject({ steps: 8 })
  })
})

describe('The number of images of a call', () => {
  const several = { prompt: '{prompt}', num_images: '{count}', seed: '{seed}' }

  it('is all of them where the input has a place for it, and one otherwise', () => {
    expect(readInputTemplate(ask({ input: several }, { count: 7 })).imagesPerCall).toBe(7)
    expect(readInputTemplate(ask({ input: several, imagesPerCall: 4 }, { count: 7 })).imagesPerCall).toBe(4)
    expect(readInputTemplate(ask({}, { count: 7 })).imagesPerCall).toBe(1)
  })

  it('is said to each call, with a seed of its own', () => {
    const changes = { count: 6, parameters: { seed: 40 } }
    const wire = { input: several, imagesPerCall: 4 }
    expect(fill(wire, changes, [0, 1, 2, 3])).toMatchObject({ num_images: 4, seed: 40 })
    expect(fill(wire, changes, [4, 5])).toMatchObject({ num_images: 2, seed: 44 })
  })
})

describe('An entry of the catalogue that cannot be used', () => {
  it.each<[string, object, RequestChanges]>([
    ['there is no placeholder {sede}', { input: { prompt: '{prompt}', seed: '{sede}' } }, {}],
    ['there is no placeholder {constructor}', { input: { prompt: '{prompt}', x: '{constructor}' } }, {}],
    ['no place for {prompt}', { input: { text: 'a fox' } }, {}],
    ['no place for {seed}', {}, { parameters: { seed: 7 } }],
    ['no place for {outputFormat}', {}, { parameters: { outputFormat: 'PNG' } }],
    ['no place for {width}', {}, { parameters: { width: 64, height: 64 } }],
    [
      'no place for {width}',
      { input: { prompt: '{prompt}', ratio: '{aspectRatio}' } },
      { parameters: { width: 64, height: 64 } },
    ],
    [
      'no place for {image2}',
      { input: { prompt: '{prompt}', x: '{image}' } },
      { referenceImages: [picture('a'), picture('b')] },
    ],
    ['have to be objects', { input: [] }, {}],
    ['whole number', { input: { prompt: '{prompt}', n: '{count}' }, imagesPerCall: 0 }, {}],
  ])('is refused before anything is sent: %s', (message, wire, changes) => {
    const fault = faultOf(wire, changes)
    expect(fault).toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT', providerBilled: false })
    expect(fault.message).toContain(message)
  })

  it('needs one form of a size that has several', () => {
    const parameters = { width: 64, height: 64, aspectRatio: '1:1' }
    expect(fill({ input: { prompt: '{prompt}', ratio: '{aspectRatio}' } }, { parameters })).toMatchObject({
      ratio: '1:1',
    })
  })
})
