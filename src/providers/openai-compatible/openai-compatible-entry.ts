import type { JsonRecord } from '../wire/json-values.ts'
import { assertKnownKeys, faultOf, readFlagAt, readTextsAt, readWordAt, WireFault } from '../wire/wire-fault.ts'

/**
 * A model of a server that speaks OpenAI's images API. `wire` of its catalogue entry, of which everything may be left out:
 *
 * | key | shape | meaning |
 * | --- | --- | --- |
 * | `fields` | list of names | which fields the server takes beside `model`, `prompt`, `n` and `size`. Nothing else is sent |
 * | `edits` | `image` or `image[]` | it takes reference images, by `/images/edits`, in files of this name. A mask goes along as `mask` |
 * | `negative` | `pipe` | it reads the negative prompt behind a `\|` in the prompt (LocalAI) |
 * | `extraArgs` | `true` | it reads settings as JSON in `<sd_cpp_extra_args>` behind the prompt (stable-diffusion.cpp): `negative_prompt`, `seed`, the guidance and `providerOptions` go there |
 *
 * `fields` may have `negative_prompt`, `seed`, one of `guidance_scale`, `true_cfg_scale` and `cfg_scale`, `quality`, `style`,
 * `background`, `aspect_ratio`, `output_format`, `output_compression`, and `response_format`, which asks for base64 where
 * a server would hand over links otherwise. Declare as capabilities only what has a field; an output format of PNG needs
 * none. Whatever else a server takes (`num_inference_steps`, …) goes through `capabilities.providerOptions` under its own
 * name.
 */
export type CompatibleEntry = {
  readonly fields: ReadonlySet<FieldName>
  /** null: no reference images. */
  readonly edits: 'image' | 'image[]' | null
  readonly hasPipe: boolean
  readonly hasExtraArgs: boolean
}

export const GUIDANCE_FIELDS = ['guidance_scale', 'true_cfg_scale', 'cfg_scale'] as const
const FIELD_NAMES = [
  'negative_prompt',
  'seed',
  ...GUIDANCE_FIELDS,
  'quality',
  'style',
  'background',
  'aspect_ratio',
  'output_format',
  'output_compression',
  'response_format',
] as const
export type FieldName = (typeof FIELD_NAMES)[number]

/** What is wrong with a `wire` object, with its key; null: nothing. */
export function findCompatibleFault(wire: JsonRecord): string | null {
  return faultOf(() => readEntry(wire))
}

/** Throws WireFault. */
export function readEntry(wire: JsonRecord): CompatibleEntry {
  assertKnownKeys(wire, ['fields', 'edits', 'negative', 'extraArgs'], 'wire')
  const fields = readFields(wire.fields ?? [])
  const hasPipe = readWordAt(wire.negative, ['pipe'], 'wire.negative') !== undefined
  if (hasPipe && fields.has('negative_prompt')) {
    throw new WireFault('wire.negative and the field negative_prompt say the same twice. Leave one of them out.')
  }
  return {
    fields,
    edits: readWordAt(wire.edits, ['image', 'image[]'], 'wire.edits') ?? null,
    hasPipe,
    hasExtraArgs: readFlagAt(wire.extraArgs ?? false, 'wire.extraArgs'),
  }
}

function readFields(value: unknown): ReadonlySet<FieldName> {
  const names = readTextsAt(value, 'wire.fields')
  const known = FIELD_NAMES.filter((name) => names.includes(name))
  const unknown = names.find((name) => !FIELD_NAMES.some((each) => each === name))
  if (unknown !== undefined) {
    throw new WireFault(
      `wire.fields: "${unknown}" is not known. Known are ${FIELD_NAMES.join(', ')}; others are providerOptions.`,
    )
  }
  if (GUIDANCE_FIELDS.filter((name) => names.includes(name)).length > 1) {
    throw new WireFault(
      `wire.fields has more than one of ${GUIDANCE_FIELDS.join(', ')}: name the one the server reads.`,
    )
  }
  return new Set(known)
}
