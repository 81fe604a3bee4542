import type { ProviderRequest } from '../provider.ts'
import { WireFault } from '../wire/wire-fault.ts'
import type { ComfyuiGraph, ComfyuiTemplate, InputName, Place } from './comfyui-template.ts'

/** The names of uploaded files. */
export type Uploaded = { readonly referenceImages: readonly string[]; readonly mask: string | null }

/** What a run needs beside the request. `seed` null: the graph takes none. */
export type RunValues = Uploaded & { readonly seed: number | null }

/** One run for all images where the graph can be told how many, one for each otherwise. */
export function countRuns({ inputs }: ComfyuiTemplate, { count }: ProviderRequest): number {
  return inputs.count ? 1 : count
}

/** Throws WireFault where the graph has no place for something that is asked for, which would be lost in silence. */
export function assertFits(template: ComfyuiTemplate, request: ProviderRequest): void {
  const { inputs, referenceImages, options } = template
  const { parameters, count } = request
  const homeless = NAMES.find(
    (name) => VALUES[name](request) !== null && !inputs[name] && !isImplied(name, template, request),
  )
  if (homeless) throw new WireFault(`Its graph has no place for \`${homeless}\` (wire.inputs.${homeless}).`)
  if (count > 1 && !inputs.count && !inputs.seed) {
    throw new WireFault('Its graph makes the same image each time (wire.inputs.count or wire.inputs.seed is missing).')
  }
  if (request.referenceImages.length !== referenceImages.length) {
    throw new WireFault(`Its graph needs ${referenceImages.length} reference images (wire.inputs.referenceImages).`)
  }
  if ((request.mask === null) !== (inputs.mask === undefined)) {
    throw new WireFault(`Its graph ${inputs.mask ? 'needs a mask' : 'takes no mask'} (wire.inputs.mask).`)
  }
  for (const [name, value] of Object.entries(parameters.providerOptions ?? {})) {
    if (!Object.hasOwn(options, name)) {
      throw new WireFault(`Its graph has no place for this option (wire.inputs.options.${name}).`)
    }
    // A list would be a link to another node.
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      throw new WireFault(`The option ${name} should be a text, a number, true or false.`)
    }
  }
}

/** The template's graph with everything in its place. */
export function fillGraph(template: ComfyuiTemplate, request: ProviderRequest, values: RunValues): ComfyuiGraph {
  const { graph, inputs, referenceImages, options } = template
  const filled: Record<string, { class_type: string; inputs: Record<string, unknown> }> = structuredClone(
    graph,
  ) as never
  const put = (places: readonly Place[] | undefined, value: unknown) => {
    if (value === null || value === undefined) return
    for (const { node, input } of places ?? []) {
      const target = filled[node]
      if (target) target.inputs[input] = value
    }
  }
  for (const name of NAMES) put(inputs[name], VALUES[name](request))
  put(inputs.seed, values.seed)
  put(inputs.count, request.count)
  put(inputs.model, request.modelName)
  put(inputs.mask, values.mask)
  for (const [index, places] of referenceImages.entries()) put(places, values.referenceImages[index])
  for (const [name, value] of Object.entries(request.parameters.providerOptions ?? {})) put(options[name], value)
  return filled
}

/** Of what a request says; the rest is said run by run. */
const VALUES = {
  prompt: ({ prompt }) => prompt,
  negativePrompt: ({ negativePrompt }) => negativePrompt,
  width: ({ parameters }) => parameters.width,
  height: ({ parameters }) => parameters.height,
  aspectRatio: ({ parameters }) => parameters.aspectRatio,
  quality: ({ parameters }) => parameters.quality,
  style: ({ parameters }) => parameters.style,
  background: ({ parameters }) => parameters.background?.toLowerCase() ?? null,
  outputFormat: ({ parameters }) => parameters.outputFormat?.toLowerCase() ?? null,
  outputCompression: ({ parameters }) => parameters.outputCompression,
  seed: ({ parameters }) => parameters.seed,
  guidanceScale: ({ parameters }) => parameters.guidanceScale,
  enhancePrompt: ({ parameters }) => parameters.enhancePrompt,
  watermark: ({ parameters }) => parameters.watermark,
} satisfies Partial<Record<InputName, (request: ProviderRequest) => unknown>>

const NAMES = Object.keys(VALUES) as (keyof typeof VALUES)[]

/** An aspect ratio that width and height say already, and the format that SaveImage makes. */
function isImplied(name: InputName, { inputs }: ComfyuiTemplate, { parameters }: ProviderRequest): boolean {
  if (name === 'outputFormat') return parameters.outputFormat === 'PNG'
  if (name !== 'aspectRatio') return false
  return parameters.width !== null && parameters.height !== null && Boolean(inputs.width && inputs.height)
}
