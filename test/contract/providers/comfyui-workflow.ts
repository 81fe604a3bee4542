/** A text-to-image workflow as "Export (API)" writes it, and the places in it. */
export const GRAPH = {
  3: {
    class_type: 'KSampler',
    inputs: {
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
      seed: 1,
      steps: 20,
      cfg: 8,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
    },
    _meta: { title: 'KSampler' },
  },
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sdxl.safetensors' } },
  5: { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 512, batch_size: 1 } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a template', clip: ['4', 1] } },
  7: { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['4', 1] } },
  8: { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  9: { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: 'pictor' } },
}

/** One run for each image. */
export const INPUTS = {
  prompt: ['6.inputs.text'],
  negativePrompt: ['7.inputs.text'],
  width: ['5.inputs.width'],
  height: ['5.inputs.height'],
  seed: ['3.inputs.seed'],
  guidanceScale: ['3.inputs.cfg'],
  options: { steps: ['3.inputs.steps'], sampler: ['3.inputs.sampler_name'] },
}
export const RUN_AN_IMAGE = { graph: GRAPH, inputs: INPUTS }

/** One run for all of them. */
export const ONE_RUN = { graph: GRAPH, inputs: { ...INPUTS, count: ['5.inputs.batch_size'] } }

/** Starts from two pictures and a mask; the first picture goes to two places. */
export const EDITING = {
  graph: {
    ...GRAPH,
    10: { class_type: 'LoadImage', inputs: { image: 'example.png' } },
    11: { class_type: 'LoadImage', inputs: { image: 'example.png' } },
    12: { class_type: 'LoadImage', inputs: { image: 'example.png' } },
    13: { class_type: 'LoadImageMask', inputs: { image: 'example.png', channel: 'alpha' } },
  },
  inputs: {
    ...INPUTS,
    model: ['4.inputs.ckpt_name'],
    referenceImages: [['10.inputs.image', '11.inputs.image'], '12.inputs.image'],
    mask: ['13.inputs.image'],
  },
}
