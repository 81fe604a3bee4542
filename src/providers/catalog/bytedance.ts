import type { Model, ModelCapabilities } from '../model.ts'
import { defineModel, pricesOf } from './define-model.ts'

/**
 * ByteDance Seedream on BytePlus ModelArk. Fields and limits: BytePlus' Python SDK (July 2026) and others who call it; no
 * retirement is announced. No model is known to send previews while it paints (unverified), so none declares any: with
 * `maxPreviews` in a catalogue of one's own they are asked for and shown.
 */
const price = pricesOf('2026-08-21', "BytePlus' price list, as Comfy and puter quote it")
const priceOf3 = pricesOf('2025-12-31', "BytePlus' price list of 2025")
const priceOf55 = pricesOf('2026-11-22', 'the page of a reseller (unverified)')

const MARKED = 'Pictures carry a visible mark unless `watermark: false` asks for none.'

const COMMON: Partial<ModelCapabilities> = {
  maxCount: 10,
  outputFormats: ['JPEG', 'PNG', 'WEBP'],
  watermark: true,
  maxReferenceImages: 14,
}
/** The 4.x models cannot be asked: they make JPEG. */
const ALWAYS_JPEG = [] as const
const CHOSEN = ['JPEG', 'PNG'] as const

/** The vendor takes shapes of 1:16 to 16:1; these sides make no other. */
const SIDE = { min: 512, max: 8192, multipleOf: 1 }
const FREE: Partial<ModelCapabilities> = { ...COMMON, width: SIDE, height: SIDE, defaultSize: '2048x2048' }

/** The vendor's own at 2K; turned ones besides. */
const SIDES_2K = [
  [2048, 2048],
  [2304, 1728],
  [2496, 1664],
  [2560, 1440],
  [3024, 1296],
] as const
/** 1K, 1.5K and 2K. Any size up to 4,624,220 pixels is taken; the price depends on the pixels, so it takes a list. */
const SIZES_5_PRO = [1 / 2, 3 / 4, 1].flatMap((factor) =>
  SIDES_2K.flatMap(([long, short]) => [
    `${long * factor}x${short * factor}`,
    ...(long === short ? [] : [`${short * factor}x${long * factor}`]),
  ]),
)

function pricesBySize(of: typeof price, usd: { readonly upTo1500K: string; readonly at2K: string }) {
  return SIZES_5_PRO.map((size) => of('IMAGE', isAt2K(size) ? usd.at2K : usd.upTo1500K, { size }))
}

/** The step in the price is at 2.6 megapixels, between 1.5K and 2K whichever way they are counted. */
function isAt2K(size: string): boolean {
  const [width = 0, height = 0] = size.split('x').map(Number)
  return width * height > 2_600_000
}

/** Without reference images: each costs extra, which no unit of a price can say. */
const PRICED_BY_PIXELS: Partial<ModelCapabilities> = {
  ...COMMON,
  sizes: SIZES_5_PRO,
  defaultSize: '1024x1024',
  maxReferenceImages: 0,
}

export const BYTEDANCE_MODELS: readonly Model[] = [
  defineModel({
    id: 'bytedance/seedream-4',
    providerModel: 'seedream-4-0-250828',
    name: 'Seedream 4.0',
    description: `One to four thousand pixels a side, edits with up to fourteen reference images. ${MARKED}`,
    aliases: ['seedream-4.0', 'seedream-4-0', 'seedream-4-0-250828'],
    capabilities: {
      ...FREE,
      minPixels: 921_600,
      maxPixels: 16_777_216,
      providerOptions: {
        properties: {
          optimize_prompt_options: {
            type: 'object',
            properties: { mode: { type: 'string', enum: ['standard', 'fast'] } },
            required: ['mode'],
          },
        },
      },
    },
    nativeFormats: ALWAYS_JPEG,
    prices: [price('IMAGE', '0.03')],
  }),
  defineModel({
    id: 'bytedance/seedream-4.5',
    providerModel: 'seedream-4-5-251128',
    name: 'Seedream 4.5',
    description: `Two to four thousand pixels a side, nothing smaller. ${MARKED}`,
    aliases: ['seedream-4-5', 'seedream-4-5-251128'],
    capabilities: { ...FREE, minPixels: 3_686_400, maxPixels: 16_777_216 },
    nativeFormats: ALWAYS_JPEG,
    prices: [price('IMAGE', '0.04')],
  }),
  defineModel({
    id: 'bytedance/seedream-5-lite',
    providerModel: 'seedream-5-0-260128',
    name: 'Seedream 5.0 lite',
    description: `Two to three thousand pixels a side. ${MARKED}`,
    aliases: ['seedream-5.0-lite', 'seedream-5-0-lite-260128', 'seedream-5-0-260128'],
    // "2K" and "3K" is all that is stated: from 4.5's least at 2K to the square of 3K (unverified).
    capabilities: { ...FREE, minPixels: 3_686_400, maxPixels: 3072 * 3072 },
    nativeFormats: CHOSEN,
    prices: [price('IMAGE', '0.035')],
  }),
  defineModel({
    id: 'bytedance/seedream-5-pro',
    providerModel: 'dola-seedream-5-0-pro-260628',
    name: 'Seedream 5.0 pro',
    description: `The strongest of the family; up to 2K, with up to ten reference images. ${MARKED}`,
    aliases: ['seedream-5.0-pro', 'dola-seedream-5-0-pro-260628'],
    // "Extra" input images are priced; whether the first one is such is not said, and it is counted.
    capabilities: { ...PRICED_BY_PIXELS, maxReferenceImages: 10 },
    nativeFormats: CHOSEN,
    prices: [...pricesBySize(price, { upTo1500K: '0.045', at2K: '0.09' }), price('INPUT_IMAGE', '0.003')],
  }),
  defineModel({
    id: 'bytedance/seedream-3',
    providerModel: 'seedream-3-0-t2i-250415',
    name: 'Seedream 3.0',
    description: `Seed and guidance are yours to set; from words alone. ${MARKED}`,
    aliases: ['seedream-3.0', 'seedream-3-0-t2i-250415'],
    capabilities: {
      ...COMMON,
      // Those that the vendor recommends (from memory, unverified).
      sizes: ['1024x1024', '1152x864', '864x1152', '1280x720', '720x1280', '1248x832', '832x1248', '1512x648'],
      defaultSize: '1024x1024',
      seed: true,
      maxSeed: 2 ** 31 - 1,
      guidanceScale: true,
      maxReferenceImages: 0,
    },
    nativeFormats: [],
    prices: [priceOf3('IMAGE', '0.03')],
  }),
  defineModel({
    id: 'bytedance/seedream-5.5',
    providerModel: 'seedream-5-5-261028',
    name: 'Seedream 5.5',
    description: `The newest; name, sizes and prices were read at a reseller's only (unverified). ${MARKED}`,
    aliases: ['seedream-5-5', 'seedream-5-5-261028'],
    capabilities: { ...PRICED_BY_PIXELS, maxReferenceImages: 10 },
    nativeFormats: CHOSEN,
    prices: [...pricesBySize(priceOf55, { upTo1500K: '0.02', at2K: '0.035' }), priceOf55('INPUT_IMAGE', '0.008')],
  }),
]
