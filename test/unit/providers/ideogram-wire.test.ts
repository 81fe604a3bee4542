import { describe, expect, it } from 'vitest'
import { buildRequest } from '../../../src/providers/ideogram/ideogram-request.ts'
import { readGeneration, readImages } from '../../../src/providers/ideogram/ideogram-wire.ts'
import { createProviderRequest } from '../../contract/providers/wire-stage.ts'

describe('a generation of Ideogram', () => {
  it.each<[unknown]>([
    [{}],
    [{ generation_id: 'g' }],
    [{ data: null }],
    [{ data: [] }],
    [{ data: [{ url: null, is_image_safe: true }] }],
    [{ data: [{ url: 'https://x.test/1.png' }, { url: '' }] }],
    [{ data: [null], status: 'in_progress', error: null }],
    [{ data: 'soon', status: 7, error: '' }],
  ])('runs as long as nothing says otherwise: %j', (json) => {
    expect(readGeneration(json)).toEqual({ status: 'RUNNING' })
  })

  it.each<[unknown]>([[undefined], [null], ['done'], [3]])('is not read from %j', (json) => {
    expect(readGeneration(json)).toBeUndefined()
  })

  it.each<[unknown, string | null, string | null]>([
    [{ error: 'It broke.' }, null, 'It broke.'],
    [{ error: 'It broke.', reject_reason: 'why' }, 'why', 'It broke.'],
    [{ status: 'FAILED' }, 'FAILED', null],
    [{ status: 'cancelled', data: [] }, 'cancelled', null],
  ])('has failed where it says so: %j', (json, code, message) => {
    expect(readGeneration(json)).toEqual({ status: 'FAILED', code, message })
  })

  it('is done when each picture is there or held back', () => {
    const data = [{ url: 'https://x.test/1.png', seed: 5, prompt: 'p' }, { is_image_safe: false }]
    expect(readGeneration({ data, status: 'failed', error: 'One was held back.' })).toEqual({
      status: 'DONE',
      images: [
        { url: 'https://x.test/1.png', isSafe: true, seed: 5, prompt: 'p' },
        { url: null, isSafe: false, seed: null, prompt: null },
      ],
    })
  })
})

describe('pictures of Ideogram', () => {
  it('takes of an entry only what has the promised type', () => {
    expect(readImages({ data: [{ url: 7, seed: '5', prompt: {}, is_image_safe: 'no' }, 'x', null] })).toEqual(
      Array.from({ length: 3 }, () => ({ url: null, isSafe: true, seed: null, prompt: null })),
    )
  })

  it.each<[unknown]>([[undefined], [[]], [{ data: [] }], [{ data: {} }]])('are not read from %j', (json) => {
    expect(readImages(json)).toBeUndefined()
  })
})

describe('a request to the new API', () => {
  const bodyFor = (wire: Readonly<Record<string, unknown>>) => {
    const parameters = { quality: 'low', seed: 0, aspectRatio: null }
    const { body } = buildRequest(createProviderRequest({ wire: { api: 'generations', ...wire }, parameters }))
    return JSON.parse(String(body))
  }

  it('has the fields that the catalogue names, with our values', () => {
    const fields = { prompt: 'text_prompt', quality: 'speed', seed: 'seed', aspectRatio: 'ratio', nonsense: 'x' }
    expect(bodyFor({ fields })).toEqual({ text_prompt: 'a red fox in snow', speed: 'low', seed: 0, async: true })
  })

  it.each<[unknown]>([[undefined], [null], ['prompt'], [{ seed: 7 }]])('has the prompt alone with %j', (fields) => {
    expect(bodyFor({ fields })).toEqual({ prompt: 'a red fox in snow', async: true })
  })
})
