import { expect, it } from 'vitest'
import { inCallersWords, paramOf } from '../../../../src/transport/rest/param-names.ts'

it.each([
  ['prompt', 'prompt'],
  ['negativePrompt', 'negative_prompt'],
  ['count', 'n'],
  ['previews', 'partial_images'],
  ['watermark', 'add_watermark'],
  ['endUser', 'user'],
  ['providerApiKey', 'byok_api_key'],
  ['idempotencyKey', 'Idempotency-Key'],
  ['fallbackModels.0', 'fallback_models.0'],
  ['providerOptions.steps', 'additional_params.steps'],
  ['providerOptions.moderation', 'moderation'],
  ['referenceImages.2.url', 'images.2'],
  ['mask.base64', 'mask'],
])('%s is told as %s', (path, param) => {
  expect(paramOf(path, 'images')).toBe(param)
})

it('a message names the fields as the caller writes them', () => {
  expect(inCallersWords('Give `aspectRatio` or `referenceImages`, and `size`.', 'image')).toBe(
    'Give `aspect_ratio` or `image`, and `size`.',
  )
})
