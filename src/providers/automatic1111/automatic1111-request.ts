import type { ProviderRequest } from '../provider.ts'
import { given } from '../wire/given.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { toBase64 } from '../wire/reference-image.ts'
import { WireFault } from '../wire/wire-fault.ts'
import type { Automatic1111Entry } from './automatic1111-entry.ts'

export type Automatic1111Order = { readonly path: string; readonly body: JsonRecord }

/** Throws WireFault where something is asked for that the server cannot be told, which would be lost in silence. */
export function assertFits({ parameters, referenceImages, mask }: ProviderRequest): void {
  const { width, height } = parameters
  const homeless = UNKNOWN_TO_IT.find((name) => parameters[name] !== null)
  if (homeless) throw new WireFault(`It cannot be told \`${homeless}\`.`)
  if (parameters.aspectRatio !== null && (width === null || height === null)) {
    throw new WireFault('It cannot be told `aspectRatio`. Declare sizes for this model, or width and height.')
  }
  if (parameters.outputFormat !== null && parameters.outputFormat !== 'PNG') {
    throw new WireFault('It makes PNG. Declare it as the one native format of this model.')
  }
  if (referenceImages.length > 1) throw new WireFault('It starts from one reference image.')
  if (mask !== null && referenceImages.length === 0) throw new WireFault('A mask needs the picture that it is for.')
}

const UNKNOWN_TO_IT = ['quality', 'background', 'outputCompression', 'enhancePrompt', 'watermark'] as const

/**
 * `taskId`: by which its progress is told apart. No picture is kept on the server's disk, and no grid is made of several.
 * Of memory and unverified: `inpainting_mask_invert`. The server paints where a mask is opaque, we where it is transparent.
 */
export function buildOrder(entry: Automatic1111Entry, request: ProviderRequest, taskId: string): Automatic1111Order {
  const { parameters, referenceImages, mask } = request
  const body = {
    prompt: request.prompt,
    ...given('negative_prompt', request.negativePrompt),
    ...given('seed', parameters.seed),
    ...given('width', parameters.width),
    ...given('height', parameters.height),
    ...given('cfg_scale', parameters.guidanceScale),
    ...given('styles', parameters.style === null ? null : [parameters.style]),
    [entry.batch]: request.count,
    ...(referenceImages.length > 0 && { init_images: referenceImages.map(toBase64) }),
    ...(mask && { mask: toBase64(mask), inpainting_mask_invert: 1 }),
    ...checkpointFields(entry, request.modelName),
    ...parameters.providerOptions,
    send_images: true,
    save_images: false,
    force_task_id: taskId,
  }
  return { path: referenceImages.length > 0 ? '/sdapi/v1/img2img' : '/sdapi/v1/txt2img', body }
}

function checkpointFields({ checkpoint }: Automatic1111Entry, modelName: string): JsonRecord {
  if (checkpoint === null) return {}
  const sd_model_checkpoint = checkpoint === true ? modelName : checkpoint
  return { override_settings: { sd_model_checkpoint }, override_settings_restore_afterwards: true }
}
