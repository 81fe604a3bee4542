import { isRecord, type JsonRecord } from '../wire/json-values.ts'
import { assertKnownKeys, faultOf, readRecordAt, readTextsAt, WireFault } from '../wire/wire-fault.ts'

/**
 * A model of a ComfyUI engine is a graph and the places in it that a request fills. `wire` of its catalogue entry:
 *
 * | key | shape | meaning |
 * | --- | --- | --- |
 * | `graph` | object | the workflow as "Export (API)" writes it: `{ "6": { "class_type", "inputs" }, … }`. Required |
 * | `inputs` | `{ name: places }` | where the values of a request go; `prompt` is required |
 * | `outputs` | list of node ids | whose pictures are the result, in this order. Left out: the one SaveImage node's |
 * | `progress` | list of node ids | whose steps make up the progress. Left out: whichever node tells of steps |
 *
 * Places are a list such as `["6.inputs.text", "7.inputs.text"]`: node id, `inputs`, and the name of an input which that
 * node has in the graph. The value goes into all of them. Names are `prompt`, `negativePrompt`, `width`, `height`,
 * `aspectRatio`, `quality`, `style`, `background`, `outputFormat`, `outputCompression`, `seed`, `guidanceScale`,
 * `enhancePrompt`, `watermark`, and further:
 *
 * - `count`: how many pictures one run makes (`batch_size` of the empty latent). Left out: one run for each image, with
 *   seeds that count up.
 * - `model`: is given the entry's `providerModel`, so that several entries may share a graph.
 * - `referenceImages`: a list with one entry for each picture, which is a place or a list of places; each is given the
 *   name of the uploaded file, as a LoadImage node takes it. A request must bring exactly as many: declare the same
 *   number as `minReferenceImages` and `maxReferenceImages`.
 * - `mask`: is given the name of the uploaded mask, in which what is transparent is to be painted anew: LoadImage's mask
 *   output and LoadImageMask with channel `alpha` read it so (from memory, unverified). A request must bring one.
 * - `options`: `{ name: places }` for each property of `capabilities.providerOptions`.
 *
 * A place whose value a request leaves open keeps what the graph says; `seed` is drawn then. What a request asks for and
 * no name provides for is refused, so declare as capabilities only what has a place. Only an output format of PNG needs
 * none: it is what SaveImage makes.
 */
export type ComfyuiTemplate = {
  readonly graph: ComfyuiGraph
  readonly inputs: Readonly<Partial<Record<InputName, readonly Place[]>>>
  /** One entry for each picture. */
  readonly referenceImages: readonly (readonly Place[])[]
  readonly options: Readonly<Record<string, readonly Place[]>>
  readonly outputs: readonly string[] | null
  readonly progress: readonly string[] | null
}

export type ComfyuiGraph = Readonly<Record<string, ComfyuiNode>>
export type ComfyuiNode = { readonly class_type: string; readonly inputs: JsonRecord; readonly [key: string]: unknown }
export type Place = { readonly node: string; readonly input: string }

const INPUT_NAMES = [
  'prompt',
  'negativePrompt',
  'width',
  'height',
  'aspectRatio',
  'quality',
  'style',
  'background',
  'outputFormat',
  'outputCompression',
  'seed',
  'guidanceScale',
  'enhancePrompt',
  'watermark',
  'count',
  'model',
  'mask',
] as const
export type InputName = (typeof INPUT_NAMES)[number]

/** What is wrong with a `wire` object, with its key; null: nothing. */
export function findComfyuiFault(wire: JsonRecord): string | null {
  return faultOf(() => readTemplate(wire))
}

/** Throws WireFault. */
export function readTemplate(wire: JsonRecord): ComfyuiTemplate {
  assertKnownKeys(wire, ['graph', 'inputs', 'outputs', 'progress'], 'wire')
  const graph = readGraph(wire.graph)
  const inputs = readRecordAt(wire.inputs, 'wire.inputs')
  assertKnownKeys(inputs, [...INPUT_NAMES, 'referenceImages', 'options'], 'wire.inputs')
  if (inputs.prompt === undefined) throw new WireFault('wire.inputs.prompt is missing: the prompt has no place.')
  const given = INPUT_NAMES.filter((name) => inputs[name] !== undefined)
  const options = readRecordAt(inputs.options ?? {}, 'wire.inputs.options')
  return {
    graph,
    inputs: Object.fromEntries(given.map((name) => [name, readPlaces(graph, inputs[name], `wire.inputs.${name}`)])),
    referenceImages: readReferencePlaces(graph, inputs.referenceImages ?? []),
    options: Object.fromEntries(
      Object.keys(options).map((name) => [name, readPlaces(graph, options[name], `wire.inputs.options.${name}`)]),
    ),
    outputs: readOutputs(graph, wire.outputs),
    progress: wire.progress === undefined ? null : readNodes(graph, wire.progress, 'wire.progress'),
  }
}

function readGraph(value: unknown): ComfyuiGraph {
  const graph = readRecordAt(value, 'wire.graph')
  if (Array.isArray(graph.nodes)) {
    throw new WireFault('wire.graph is a workflow of the editor. Export it with "Export (API)" instead.')
  }
  const broken = Object.keys(graph).find((id) => !isNode(graph[id]))
  if (broken !== undefined) throw new WireFault(`wire.graph.${broken} should have "class_type" and "inputs".`)
  if (Object.keys(graph).length === 0) throw new WireFault('wire.graph has no node.')
  return graph as ComfyuiGraph
}

function isNode(value: unknown): boolean {
  return isRecord(value) && typeof value.class_type === 'string' && isRecord(value.inputs)
}

function readPlaces(graph: ComfyuiGraph, value: unknown, path: string): readonly Place[] {
  const places = readTextsAt(value, path)
  if (places.length === 0) throw new WireFault(`${path} names no place. Name one, or leave the key out.`)
  return places.map((place) => readPlace(graph, place, path))
}

/** Names of inputs may have dots in them; ids of nodes have none. */
function readPlace(graph: ComfyuiGraph, text: string, path: string): Place {
  const [, node = '', input = ''] = /^([^.]+)\.inputs\.(.+)$/.exec(text) ?? []
  if (input === '') throw new WireFault(`${path}: "${text}" is no place. Write it as "6.inputs.text".`)
  const inputs = graph[node]?.inputs
  if (!inputs) throw new WireFault(`${path}: "${text}" names node ${node}, which the graph does not have.`)
  if (!Object.hasOwn(inputs, input)) {
    const known = Object.keys(inputs).join(', ')
    throw new WireFault(`${path}: "${text}" names an input that node ${node} does not have. It has ${known}.`)
  }
  return { node, input }
}

function readReferencePlaces(graph: ComfyuiGraph, value: unknown): ComfyuiTemplate['referenceImages'] {
  const path = 'wire.inputs.referenceImages'
  if (!Array.isArray(value)) throw new WireFault(`${path} should be a list.`)
  return value.map((entry, index) => readPlaces(graph, Array.isArray(entry) ? entry : [entry], `${path}[${index}]`))
}

function readNodes(graph: ComfyuiGraph, value: unknown, path: string): readonly string[] {
  const nodes = readTextsAt(value, path)
  const unknown = nodes.find((node) => !Object.hasOwn(graph, node))
  if (unknown !== undefined) throw new WireFault(`${path} names node ${unknown}, which the graph does not have.`)
  return nodes
}

function readOutputs(graph: ComfyuiGraph, value: unknown): readonly string[] | null {
  if (value !== undefined) return readNodes(graph, value, 'wire.outputs')
  const savers = Object.keys(graph).filter((id) => graph[id]?.class_type === 'SaveImage')
  if (savers.length < 2) return null
  throw new WireFault(`wire.outputs is missing: nodes ${savers.join(' and ')} all save pictures. Name those you want.`)
}
