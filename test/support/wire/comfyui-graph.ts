/** What a ComfyUI server checks of a graph before it queues it, for the few nodes that are played here. */

export type GraphNode = { readonly class_type: string; readonly inputs: Readonly<Record<string, unknown>> }
export type Graph = Readonly<Record<string, GraphNode>>

type Rule = (value: unknown, files: ReadonlySet<string>) => string | undefined

const text: Rule = (value) =>
  typeof value === 'string' ? undefined : 'Failed to convert an input value to a STRING value'
const link: Rule = (value) => (Array.isArray(value) ? undefined : 'Bad linked input, must be a length-2 list')
const whole =
  (min: number, max: number, step = 1): Rule =>
  (value) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) return 'Failed to convert an input value to a INT value'
    if (value < min) return `Value smaller than min of ${min}`
    if (value > max) return `Value bigger than max of ${max}`
    return value % step === 0 ? undefined : `Value is no multiple of ${step}`
  }
const number: Rule = (value) =>
  typeof value === 'number' ? undefined : 'Failed to convert an input value to a FLOAT value'
const oneOf =
  (...words: readonly string[]): Rule =>
  (value) =>
    words.includes(String(value)) ? undefined : 'Value not in list'
const file: Rule = (value, files) => (files.has(String(value)) ? undefined : `Invalid image file: ${value}`)

const CLASSES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  CheckpointLoaderSimple: { ckpt_name: oneOf('sdxl.safetensors', 'flux.safetensors') },
  CLIPTextEncode: { text, clip: link },
  EmptyLatentImage: { width: whole(16, 16384, 8), height: whole(16, 16384, 8), batch_size: whole(1, 4096) },
  KSampler: {
    model: link,
    positive: link,
    negative: link,
    latent_image: link,
    seed: whole(0, Number.MAX_SAFE_INTEGER),
    steps: whole(1, 10000),
    cfg: number,
    sampler_name: oneOf('euler', 'dpmpp_2m'),
    scheduler: oneOf('normal', 'karras'),
    denoise: number,
  },
  VAEDecode: { samples: link, vae: link },
  SaveImage: { images: link, filename_prefix: text },
  PreviewImage: { images: link },
  LoadImage: { image: file },
  LoadImageMask: { image: file, channel: oneOf('alpha', 'red', 'green', 'blue') },
}

/** The body of a 400, or undefined where the graph may be queued. */
export function findGraphFault(graph: unknown, files: ReadonlySet<string>): object | undefined {
  if (typeof graph !== 'object' || graph === null) return failed('no_prompt', 'No prompt provided')
  const nodes = Object.entries(graph as Graph)
  const unknown = nodes.find(([, { class_type }]) => !CLASSES[class_type])
  if (unknown) return failed('invalid_prompt', `Cannot execute because node ${unknown[1].class_type} does not exist.`)
  const ends = nodes.filter(([, { class_type }]) => /^(Save|Preview)Image$/.test(class_type))
  if (ends.length === 0) return failed('prompt_no_outputs', 'Prompt has no outputs')
  const nodeErrors = Object.fromEntries(
    nodes.flatMap(([id, node]) => {
      const errors = errorsOf(node, graph as Graph, files)
      const told = { errors, class_type: node.class_type, dependent_outputs: ends.map(([end]) => end) }
      return errors.length === 0 ? [] : [[id, told]]
    }),
  )
  if (Object.keys(nodeErrors).length === 0) return undefined
  return failed('prompt_outputs_failed_validation', 'Prompt outputs failed validation', nodeErrors)
}

export function failed(type: string, message: string, nodeErrors: object = {}): object {
  return { error: { type, message, details: '', extra_info: {} }, node_errors: nodeErrors }
}

function errorsOf({ class_type, inputs }: GraphNode, graph: Graph, files: ReadonlySet<string>): readonly object[] {
  return Object.entries(CLASSES[class_type] ?? {}).flatMap(([name, rule]) => {
    const value = inputs[name]
    const message = value === undefined ? 'Required input is missing' : problemOf(value, rule, graph, files)
    return message === undefined
      ? []
      : [{ type: 'value_not_right', message, details: name, extra_info: { input_name: name } }]
  })
}

function problemOf(value: unknown, rule: Rule, graph: Graph, files: ReadonlySet<string>): string | undefined {
  if (!Array.isArray(value)) return rule(value, files)
  return graph[String(value[0])] ? undefined : 'Exception when validating inner node'
}
