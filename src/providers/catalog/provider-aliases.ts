/** Names that people and other gateways use for a provider, in lower case, and our id of it. */
export const PROVIDER_ALIASES: Readonly<Record<string, string>> = {
  'black-forest-labs': 'flux',
  ark: 'bytedance',
  bfl: 'flux',
  byteplus: 'bytedance',
  'fal-ai': 'fal',
  gemini: 'google',
  'ideogram-ai': 'ideogram',
  'google-ai': 'google',
  'google-genai': 'google',
  seedream: 'bytedance',
  stability: 'stability-ai',
  stabilityai: 'stability-ai',
  volcengine: 'bytedance',
}
