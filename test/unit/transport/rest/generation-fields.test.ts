import { describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/secret.ts'
import { type ImageRequest, readImageRequest } from '../../../../src/transport/rest/generation-fields.ts'

function read(fields: object, kind: ImageRequest['kind'] = 'generations', isText = false): ImageRequest {
  return readImageRequest({ values: new Map(Object.entries(fields)), isText, digest: 'd' }, kind, 'key-1')
}

function inputOf(fields: object, kind: ImageRequest['kind'] = 'generations') {
  return read(fields, kind).takeInput()
}

const ALL = {
  prompt: 'a fox',
  model: 'dall-e-3',
  provider: 'openai',
  negative_prompt: 'people',
  width: 64,
  height: 32,
  size: '64x32',
  aspect_ratio: '2:1',
  n: 2,
  quality: 'hd',
  style: 'vivid',
  background: 'transparent',
  output_format: 'webp',
  output_compression: 80,
  seed: 7,
  guidance_scale: 3.5,
  enhance_prompt: true,
  add_watermark: false,
  partial_images: 2,
  strict: false,
  fallback_models: ['flux-dev'],
  max_cost: 0.25,
  deadline_seconds: 60,
  priority: 'high',
  byok_api_key: 'sk-1',
  additional_params: { steps: 4 },
  webhook_url: 'https://example.com/hook',
  tags: ['one'],
  metadata: { order: 42 },
  user: 'ada',
  input: ['https://example.com/fox.png'],
  response_format: 'b64_json',
  stream: true,
}

describe('a request', () => {
  it('is read field by field', () => {
    const { takeInput, ...rest } = read(ALL)
    const input = takeInput()
    expect(rest).toEqual({
      previews: 2,
      webhookUrl: 'https://example.com/hook',
      responseFormat: 'b64_json',
      stream: true,
      picturesIn: 'input',
      kind: 'generations',
      digest: 'd',
    })
    expect(input).toEqual({
      prompt: 'a fox',
      model: 'dall-e-3',
      provider: 'openai',
      negativePrompt: 'people',
      width: 64,
      height: 32,
      size: '64x32',
      aspectRatio: '2:1',
      count: 2,
      quality: 'hd',
      style: 'vivid',
      background: 'TRANSPARENT',
      outputFormat: 'WEBP',
      outputCompression: 80,
      seed: 7,
      guidanceScale: 3.5,
      enhancePrompt: true,
      watermark: false,
      previews: 2,
      strict: false,
      fallbackModels: ['flux-dev'],
      maxCost: '0.25',
      deadlineSeconds: 60,
      priority: 'HIGH',
      providerApiKey: expect.any(Secret),
      providerOptions: { steps: 4 },
      webhookUrl: 'https://example.com/hook',
      tags: ['one'],
      metadata: { order: 42 },
      endUser: 'ada',
      referenceImages: [{ url: 'https://example.com/fox.png' }],
      mask: null,
      idempotencyKey: 'key-1',
    })
  })

  it('hands out its input once, so that nobody who waits keeps pictures', () => {
    const request = read({ prompt: 'a fox' })
    request.takeInput()
    expect(() => request.takeInput()).toThrow('taken once')
  })

  it('needs a prompt and nothing else', () => {
    const request = read({ prompt: 'a fox' })
    expect({ ...request, input: request.takeInput() }).toMatchObject({
      input: { count: 1, strict: true, priority: 'NORMAL', previews: 0, referenceImages: null, providerOptions: null },
      responseFormat: null,
      stream: false,
    })
  })

  it('takes the official words for what the model decides, and settings of one vendor at the top', () => {
    const input = inputOf({
      prompt: 'a fox',
      size: 'auto',
      quality: 'auto',
      moderation: 'low',
      additional_params: { complexity: 'low' },
    })
    expect(input).toMatchObject({
      size: null,
      quality: null,
      providerOptions: { moderation: 'low', complexity: 'low' },
    })
  })

  it('takes null for what is not given, also of what is not offered', () => {
    const fields = { prompt: 'a fox', n: null, stream: null, svg: null, frame_count: null, user: null }
    expect(inputOf(fields)).toMatchObject({ count: 1, endUser: null })
  })

  it.each([
    [{ prompt: 'a fox', n: 2, count: 3 }, 'count'],
    [{ prompt: 'a fox', user: 'ada', safety_identifier: 'bob' }, 'safety_identifier'],
    [{ prompt: 'a fox', moderation: 'low', additional_params: { moderation: 'auto' } }, 'moderation'],
    [{ prompt: 'a fox', frame_count: 3 }, 'frame_count'],
    [{ prompt: 'a fox', image: 'https://example.com/fox.png' }, 'image'],
    [{ prompt: 'a fox', mask: 'https://example.com/fox.png' }, 'mask'],
    [{ prompt: 'a fox', input: ['file:///etc/passwd'] }, 'input.0'],
  ])('is refused where its fields contradict each other or do not belong: %j', (fields, param) => {
    expect(() => read(fields)).toThrow(new RegExp(`^${param}: `))
  })
})

describe('an edit', () => {
  const bytes = new Uint8Array([1, 2, 3])

  it.each([
    ['a file', bytes, { bytes }],
    ['an address', 'https://example.com/fox.png', { url: 'https://example.com/fox.png' }],
    ['a data URI', 'data:image/png;base64,AAAA', { base64: 'data:image/png;base64,AAAA' }],
    ['an image', 'img_1', { imageId: 'img_1' }],
    ['an upload', 'upl_1', { uploadId: 'upl_1' }],
    ['an official address', { image_url: 'https://example.com/fox.png' }, { url: 'https://example.com/fox.png' }],
    ['an official file', { file_id: 'img_1' }, { imageId: 'img_1' }],
  ])('starts from %s', (_, given, expected) => {
    expect(inputOf({ prompt: 'a fox', image: given }, 'edits').referenceImages).toEqual([expected])
    expect(inputOf({ prompt: 'a fox', image: [bytes, given], mask: given }, 'edits')).toMatchObject({
      referenceImages: [{ bytes }, expected],
      mask: expected,
    })
  })

  it('needs a picture, in one field', () => {
    expect(() => read({ prompt: 'a fox' }, 'edits')).toThrow('image: Send the picture to edit.')
    const both = { prompt: 'a fox', image: bytes, images: [{ file_id: 'img_1' }] }
    expect(() => read(both, 'edits')).toThrow('images: The pictures stand in image already.')
  })

  it('reads what a form says in text', () => {
    const form = {
      prompt: 'a fox',
      image: [bytes],
      n: '2',
      stream: 'true',
      seed: '7',
      tags: 'one',
      metadata: '{"a":1}',
    }
    const request = read(form, 'edits', true)
    expect({ ...request, input: request.takeInput() }).toMatchObject({
      stream: true,
      input: { count: 2, seed: 7, tags: ['one'], metadata: { a: 1 } },
    })
  })
})
