import type { GenerateImageFields } from '../../generation/given-input.ts'
import { Secret } from '../../secret.ts'
import { type BodyFields, type Fields, openFields } from './fields.ts'
import { readMask, readPictures } from './pictures.ts'

export type ResponseFormat = 'url' | 'b64_json'

/** What a call asks for: the pictures, and how to be told of them. */
export type ImageRequest = {
  /** Once: whoever waits for the end afterwards does not keep the bytes of pictures in memory. */
  takeInput(): GenerateImageFields
  readonly previews: number
  readonly webhookUrl: string | null
  /** null: as the model's callers expect it. */
  readonly responseFormat: ResponseFormat | null
  readonly stream: boolean
  /** The field that reference pictures came in, to name it in errors. */
  readonly picturesIn: string
  readonly kind: 'generations' | 'edits' | 'estimate'
  /** Of the fields as they came. */
  readonly digest: string
}

/** Settings of one vendor that the official API has at the top. */
export const SHORTHANDS = ['moderation', 'complexity', 'input_fidelity'] as const
/** Official parameters of what is no picture, or is drawn into one. null is what SDKs send for "not given". */
const NOT_OFFERED = ['frame_count', 'frame_duration_ms', 'svg', 'markup'] as const
const PICTURES = {
  generations: ['input'],
  edits: ['image', 'images', 'input'],
  estimate: ['input', 'image', 'images'],
} as const
const PRIORITIES = { low: 'LOW', normal: 'NORMAL', high: 'HIGH' } as const
const FORMATS = { png: 'PNG', jpeg: 'JPEG', webp: 'WEBP' } as const
const BACKGROUNDS = { auto: 'AUTO', opaque: 'OPAQUE', transparent: 'TRANSPARENT' } as const

/** MalformedRequestError with all that cannot be read; whether a model can do it is for the house to say. */
export function readImageRequest(
  body: BodyFields,
  kind: ImageRequest['kind'],
  idempotencyKey: string | null,
): ImageRequest {
  const fields = openFields(body)
  const places = PICTURES[kind].filter((name) => fields.has(name))
  const picturesIn = places[0] ?? PICTURES[kind][0]
  for (const name of places.slice(1)) refuse(fields, name, `The pictures stand in ${picturesIn} already.`)
  const input = {
    ...readContent(fields),
    ...readOutput(fields),
    ...readConditions(fields),
    referenceImages: readPictures(fields, picturesIn),
    mask: kind === 'generations' ? null : readMask(fields),
    idempotencyKey,
  }
  const request = {
    takeInput: createTaking(input),
    previews: input.previews,
    webhookUrl: input.webhookUrl,
    responseFormat: fields.choice('response_format', ['url', 'b64_json']),
    stream: fields.flag('stream') ?? false,
    picturesIn,
    kind,
    digest: body.digest,
  }
  if (kind === 'edits' && places.length === 0) miss(fields, 'image', 'Send the picture to edit.')
  for (const name of NOT_OFFERED) if (fields.has(name)) refuse(fields, name, 'This is not offered here: leave it out.')
  fields.finish()
  return request
}

function createTaking(input: GenerateImageFields): () => GenerateImageFields {
  let held: GenerateImageFields | null = input
  return () => {
    const taken = held
    held = null
    if (taken === null) throw new Error('The input of a request is taken once.')
    return taken
  }
}

function readContent(fields: Fields) {
  const prompt = fields.text('prompt')
  if (prompt === null && !fields.has('prompt')) miss(fields, 'prompt', 'Say what to paint.')
  const [size, quality] = [fields.text('size'), fields.text('quality')]
  return {
    prompt: prompt ?? '',
    model: fields.text('model'),
    provider: fields.text('provider'),
    negativePrompt: fields.text('negative_prompt'),
    width: fields.integer('width'),
    height: fields.integer('height'),
    // `auto` is the official word for leaving it out.
    size: size === 'auto' ? null : size,
    aspectRatio: fields.text('aspect_ratio'),
    count: readCount(fields),
    quality: quality === 'auto' ? null : quality,
    style: fields.text('style'),
  }
}

function readCount(fields: Fields): number {
  const [official, other] = [fields.integer('n'), fields.integer('count')]
  if (official !== null && other !== null && official !== other) refuse(fields, 'count', '`n` says another number.')
  return official ?? other ?? 1
}

function readOutput(fields: Fields) {
  const background = fields.choice('background', ['auto', 'opaque', 'transparent'])
  const outputFormat = fields.choice('output_format', ['png', 'jpeg', 'webp'])
  return {
    background: background && BACKGROUNDS[background],
    outputFormat: outputFormat && FORMATS[outputFormat],
    outputCompression: fields.integer('output_compression'),
    seed: fields.integer('seed'),
    guidanceScale: fields.number('guidance_scale'),
    enhancePrompt: fields.flag('enhance_prompt'),
    watermark: fields.flag('add_watermark'),
    previews: fields.integer('partial_images') ?? 0,
    providerOptions: readOptions(fields),
  }
}

function readOptions(fields: Fields): Readonly<Record<string, unknown>> | null {
  const given = fields.object('additional_params')
  const options = new Map(Object.entries(given ?? {}))
  for (const name of SHORTHANDS) {
    const value = fields.text(name)
    if (value === null) continue
    if (options.has(name)) refuse(fields, name, 'It stands in additional_params too.')
    options.set(name, value)
  }
  return given === null && options.size === 0 ? null : Object.fromEntries(options)
}

function readConditions(fields: Fields) {
  const key = fields.text('byok_api_key')
  const priority = fields.choice('priority', ['low', 'normal', 'high'])
  const [user, safety] = [fields.text('user'), fields.text('safety_identifier')]
  if (user !== null && safety !== null && user !== safety) {
    refuse(fields, 'safety_identifier', '`user` names another one.')
  }
  return {
    strict: fields.flag('strict') ?? true,
    fallbackModels: fields.texts('fallback_models'),
    maxCost: fields.decimal('max_cost'),
    deadlineSeconds: fields.integer('deadline_seconds'),
    priority: priority === null ? ('NORMAL' as const) : PRIORITIES[priority],
    providerApiKey: key === null ? null : new Secret(key),
    webhookUrl: readAddress(fields.text('webhook_url')),
    tags: fields.texts('tags'),
    metadata: fields.json('metadata'),
    endUser: user ?? safety,
  }
}

/** As the parser writes it, so that one address is one however it is written. What is none is for the house to refuse. */
function readAddress(text: string | null): string | null {
  return text === null || /\p{Cc}/u.test(text) ? text : (URL.parse(text)?.href ?? text)
}

function refuse(fields: Fields, param: string, message: string): void {
  fields.fault({ param, message, code: 'invalid_value', allowed: [] })
}

function miss(fields: Fields, param: string, message: string): void {
  fields.fault({ param, message, code: 'missing_required_parameter', allowed: [] })
}
