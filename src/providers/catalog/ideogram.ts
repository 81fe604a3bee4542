import type { Model, ModelCapabilities } from '../model.ts'
import { defineModel, pricesOf } from './define-model.ts'

/**
 * Ideogram. Fields: developer.ideogram.ai (2026-10 to 2026-11-16). Its older endpoints answer with `Deprecation` headers,
 * and no day of removal is published. They stay ACTIVE here: a warning without a day, on every request, tells nobody what
 * to do, and there is no successor yet whose fields are all known.
 *
 * `style_reference_images` are left out: they lend a style, while our reference images are pictures to start from, and
 * whoever wanted one changed would pay for another picture. Editing goes by other endpoints, which are left out too.
 */
const price = pricesOf('2026-11-16', 'ideogram.ai pricing')

const COMMON: Partial<ModelCapabilities> = {
  // Of one request, in the older forms. 4.x makes one a job, and as many jobs stay within its 10 pictures in flight.
  maxCount: 8,
  // It makes PNG, JPEG for some, and cannot be asked.
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
}

const ALL_VERSIONS: Partial<ModelCapabilities> = {
  ...COMMON,
  aspectRatios: ['1:1', '16:10', '10:16', '16:9', '9:16', '3:2', '2:3', '4:3', '3:4', '3:1', '1:3'],
  seed: true,
  // Stated for `/generate`, taken for the same in v3.
  maxSeed: 2_147_483_647,
  enhancePrompt: true,
}

const LEGACY_STYLES = ['AUTO', 'GENERAL', 'REALISTIC', 'DESIGN', 'RENDER_3D', 'ANIME']
/** Which presets there are is not stated in what was read; those of one's own (`members`) have no stated fields. */
const PRESET = { type: 'string', minLength: 1, maxLength: 64 }
const palette = { type: 'object', properties: { name: PRESET }, required: ['name'], description: 'A preset by name.' }

/** Of the 78 values of `resolution` only this one is named in what was read; every shape is had by its ratio. */
const V_2: Partial<ModelCapabilities> = {
  ...ALL_VERSIONS,
  sizes: ['1024x1024'],
  styles: LEGACY_STYLES,
  negativePrompt: true,
  providerOptions: { properties: { color_palette: palette } },
}
const V_2A: Partial<ModelCapabilities> = { ...ALL_VERSIONS, styles: LEGACY_STYLES }
const V_1: Partial<ModelCapabilities> = { ...ALL_VERSIONS, negativePrompt: true }

const OLDER = 'The vendor marks its older endpoints as deprecated and has published no day of removal.'

/** Name in our id, the vendor's own, version, dollars an image, what it is, and what else people call it. */
const LEGACY = (
  [
    ['v2', 'V_2', '2.0', V_2, '0.08', 'Pictures with legible text.', ['2', '2.0']],
    ['v2-turbo', 'V_2_TURBO', '2.0 Turbo', V_2, '0.05', '2.0, faster and cheaper.', ['2-turbo', '2.0-turbo']],
    ['v2a', 'V_2A', '2a', V_2A, '0.04', 'Quick and cheap, for graphic design and photographs.', ['2a']],
    ['v2a-turbo', 'V_2A_TURBO', '2a Turbo', V_2A, '0.025', '2a, faster and cheaper.', ['2a-turbo']],
    ['v1', 'V_1', '1.0', V_1, '0.06', 'The first one.', ['1', '1.0']],
    ['v1-turbo', 'V_1_TURBO', '1.0 Turbo', V_1, '0.02', '1.0, faster and cheaper.', ['1-turbo', '1.0-turbo']],
  ] as const
).map(([name, providerModel, version, capabilities, usd, description, others]) =>
  defineModel({
    id: `ideogram/ideogram-${name}`,
    providerModel,
    name: `Ideogram ${version}`,
    description,
    aliases: [providerModel, ...others.map((other) => `ideogram-${other}`)],
    lifecycle: { note: `Superseded by 3.0 and 4.x. ${OLDER}` },
    capabilities,
    nativeFormats: [],
    wire: { api: 'generate' },
    prices: [price('IMAGE', usd)],
  }),
)

const RATIOS_3 = [...(ALL_VERSIONS.aspectRatios ?? []), '5:4', '4:5', '2:1', '1:2']

const V_3 = defineModel({
  id: 'ideogram/ideogram-v3',
  name: 'Ideogram 3.0',
  description: 'Text, design and photographs, at four speeds.',
  aliases: [
    'V_3',
    'ideogram-3',
    'ideogram-3.0',
    { name: 'ideogram-v3-flash', parameters: { quality: 'FLASH' } },
    { name: 'ideogram-v3-turbo', parameters: { quality: 'TURBO' } },
    { name: 'ideogram-v3-balanced', parameters: { quality: 'DEFAULT' } },
    { name: 'ideogram-v3-quality', parameters: { quality: 'QUALITY' } },
  ],
  lifecycle: { note: `Superseded by 4.x. ${OLDER}` },
  // No `sizes`: none of the 69 values of `resolution` is named in what was read.
  capabilities: {
    ...ALL_VERSIONS,
    aspectRatios: RATIOS_3,
    qualities: ['FLASH', 'TURBO', 'DEFAULT', 'QUALITY'],
    defaultQuality: 'DEFAULT',
    styles: ['AUTO', 'GENERAL', 'REALISTIC', 'DESIGN', 'FICTION'],
    negativePrompt: true,
    providerOptions: {
      properties: {
        style_preset: PRESET,
        style_codes: {
          type: 'array',
          items: { type: 'string', pattern: '^[0-9A-Fa-f]{8}$' },
          minItems: 1,
          description: 'Eight hexadecimal digits each. Not together with `style`.',
        },
        color_palette: palette,
      },
    },
  },
  nativeFormats: [],
  wire: { api: 'v3' },
  prices: [
    price('IMAGE', '0.03', { quality: 'FLASH' }),
    price('IMAGE', '0.03', { quality: 'TURBO' }),
    price('IMAGE', '0.06', { quality: 'DEFAULT' }),
    price('IMAGE', '0.09', { quality: 'QUALITY' }),
  ],
})

const UNVERIFIED =
  'Only a prompt can be sent: the other fields of this API, and the name of the prompt itself, are unverified. The vendor ' +
  'chooses size and quality, so the price is a range. Check with one request before you rely on it.'

/** `async` and the results are stated; for the request's other fields see `wire.fields` in the adapter. */
const V_4 = (
  [
    ['4.5', 'ideogram-4-5'],
    ['4', 'ideogram-4'],
  ] as const
).map(([version, providerModel]) =>
  defineModel({
    id: `ideogram/ideogram-${version}`,
    providerModel,
    name: `Ideogram ${version === '4' ? '4.0' : version}`,
    description: 'The newest API: submitted as a job, which survives a crash of this server.',
    aliases: version === '4' ? ['ideogram-4.0', 'ideogram-v4', 'V_4'] : [providerModel, 'ideogram-v4.5', 'V_4_5'],
    lifecycle: { state: 'PREVIEW', note: UNVERIFIED },
    capabilities: COMMON,
    nativeFormats: [],
    wire: { api: 'generations', fields: { prompt: 'prompt' } },
    prices: [
      price('IMAGE', '0.03', { quality: 'low' }),
      price('IMAGE', '0.06', { quality: 'medium' }),
      price('IMAGE', '0.10', { quality: 'high' }),
    ],
  }),
)

/** The first ACTIVE one is what the provider's name alone stands for. */
export const IDEOGRAM_MODELS: readonly Model[] = [...V_4, V_3, ...LEGACY]
