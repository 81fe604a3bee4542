import { z } from 'zod'
import { GENERATION_PRIORITIES, type GenerationInput } from '../../generation/generation-types.ts'
import { toGenerationInput } from '../../generation/given-input.ts'
import { IMAGE_BACKGROUNDS, IMAGE_FORMATS } from '../../providers/model.ts'

/**
 * By id alone: an address that is fetched would be a way out for what a model was led to write into it, and a picture as
 * text has no place in a conversation.
 */
const PictureArgument = z.union(
  [z.strictObject({ image_id: z.string() }), z.strictObject({ upload_id: z.string() })],
  'It takes { "image_id": "img_…" }, an image that was made here, or { "upload_id": "upl_…" }, a picture that was uploaded',
)

/**
 * What may be asked of a model: GenerateImageInput without addresses, keys and webhooks, which no assistant should be led to
 * hand over, and without previews, which it cannot see.
 */
export const REQUEST_ARGUMENTS = {
  prompt: z.string().describe('What is to be seen.'),
  model: z.string().optional().describe("Id, bare name or alias, from list_models. Without it, the server's default."),
  provider: z.string().optional().describe('Narrows a bare model name to one provider.'),
  negative_prompt: z.string().optional().describe('What is not to be seen.'),
  size: z.string().optional().describe('"1024x1024". One of: this, aspect_ratio, or width with height.'),
  aspect_ratio: z.string().optional().describe('"16:9".'),
  width: z.int().min(1).optional().describe('In pixels, with height.'),
  height: z.int().min(1).optional().describe('In pixels, with width.'),
  count: z.int().min(1).default(1).describe('How many images. Each is paid for.'),
  quality: z.string().optional().describe('One of the qualities of the model.'),
  style: z.string().optional().describe('One of the styles of the model.'),
  background: z.enum(IMAGE_BACKGROUNDS).optional().describe('What lies behind the subject.'),
  output_format: z.enum(IMAGE_FORMATS).optional().describe('File format.'),
  output_compression: z.int().min(0).max(100).optional().describe('0 to 100, for JPEG and WEBP.'),
  seed: z.int().min(0).optional().describe('Same seed and same request: the same picture, as far as the model can.'),
  guidance_scale: z.number().optional().describe('How closely the model keeps to the prompt.'),
  enhance_prompt: z.boolean().optional().describe('May the provider rewrite the prompt?'),
  watermark: z.boolean().optional().describe('May the provider put its mark on it?'),
  reference_images: z
    .array(PictureArgument)
    .optional()
    .describe('Pictures to start from, in order: { "image_id": "img_…" } or { "upload_id": "upl_…" }.'),
  mask: PictureArgument.optional().describe('Where to paint the first of them anew: what is transparent is painted.'),
  provider_options: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Settings that only this provider knows; see list_models with details.'),
  strict: z
    .boolean()
    .default(true)
    .describe('true: refuse what the model cannot do. false: adjust, and say so in warnings.'),
  fallback_models: z.array(z.string()).optional().describe('Tried in order when the first model cannot take the job.'),
  max_cost: z
    .string()
    .optional()
    .describe('Refuse if it may cost more than this: decimal text in the currency of the server, such as "0.25".'),
  deadline_seconds: z
    .int()
    .min(1)
    .optional()
    .describe('Give up when not finished in this time, and charge only what was made.'),
  priority: z.enum(GENERATION_PRIORITIES).default('NORMAL').describe("Order among the account's own generations."),
  tags: z.array(z.string()).optional().describe('Words to find it by, and to report spending by.'),
} as const

const RequestArguments = z.strictObject(REQUEST_ARGUMENTS)
export type RequestArguments = z.output<typeof RequestArguments>

export function readRequest(args: RequestArguments, idempotencyKey: string | null): GenerationInput {
  return toGenerationInput({
    prompt: args.prompt,
    model: args.model,
    provider: args.provider,
    negativePrompt: args.negative_prompt,
    size: args.size,
    aspectRatio: args.aspect_ratio,
    width: args.width,
    height: args.height,
    count: args.count,
    quality: args.quality,
    style: args.style,
    background: args.background,
    outputFormat: args.output_format,
    outputCompression: args.output_compression,
    seed: args.seed,
    guidanceScale: args.guidance_scale,
    enhancePrompt: args.enhance_prompt,
    watermark: args.watermark,
    referenceImages: args.reference_images?.map(toReference),
    mask: args.mask && toReference(args.mask),
    providerOptions: args.provider_options,
    strict: args.strict,
    fallbackModels: args.fallback_models,
    maxCost: args.max_cost,
    deadlineSeconds: args.deadline_seconds,
    priority: args.priority,
    tags: args.tags,
    previews: 0,
    idempotencyKey,
  })
}

function toReference(picture: z.output<typeof PictureArgument>) {
  return 'image_id' in picture ? { imageId: picture.image_id } : { uploadId: picture.upload_id }
}
