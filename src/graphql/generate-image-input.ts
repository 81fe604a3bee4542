import type { Builder } from './builder.ts'

export function registerGenerateImageInput(builder: Builder): void {
  registerReferenceImage(builder)
  builder.inputType('GenerateImageInput', {
    description: 'What to make. Only the prompt is needed.',
    fields: (t) => ({
      prompt: t.string({ required: true, description: 'What is to be seen.' }),
      model: t.string({ description: "Model id, bare name or alias. Without it the server's default model answers." }),
      provider: t.string({
        description: "Narrows a bare model name to one provider, or takes that provider's default model.",
      }),
      negativePrompt: t.string({ description: 'What is not to be seen.' }),
      width: t.int({ description: 'In pixels, with `height`. One of: both of these, `size`, or `aspectRatio`.' }),
      height: t.int({ description: 'In pixels, with `width`.' }),
      size: t.string({ description: '"1024x1024"' }),
      aspectRatio: t.string({ description: '"16:9"' }),
      count: t.int({ required: true, defaultValue: 1, description: 'How many images.' }),
      quality: t.string({ description: 'One of the qualities of the model.' }),
      style: t.string({ description: 'One of the styles of the model.' }),
      ...pictures(t),
      ...output(t),
      ...conditions(t),
      ...labels(t),
    }),
  })
}

type InputFields = Parameters<Parameters<Builder['inputType']>[1]['fields']>[0]

function registerReferenceImage(builder: Builder): void {
  builder.inputType('ReferenceImageInput', {
    isOneOf: true,
    description:
      'A picture to start from: PNG, JPEG or WebP, at most 20 MiB and 64 million pixels. It is decoded, turned upright and stripped of metadata before anybody sees it.',
    fields: (t) => ({
      imageId: t.id({ description: "An earlier image of the viewer's." }),
      uploadId: t.id({ description: 'From `uploadImage`.' }),
      url: t.field({ type: 'URL', description: 'Fetched by the server, once; public addresses only.' }),
      base64: t.string({
        description: 'data: URI or bare base64. A request of more than 12 MiB is not taken: upload.',
      }),
    }),
  })
}

function pictures(t: InputFields) {
  return {
    referenceImages: t.field({
      type: ['ReferenceImageInput'],
      description:
        'Pictures to start from, in order. A model that takes none is refused also with `strict: false`: without them it would be another picture.',
    }),
    mask: t.field({
      type: 'ReferenceImageInput',
      description:
        'Where to paint the first reference image anew: of its size, with an alpha channel; what is transparent is painted.',
    }),
  }
}

function output(t: InputFields) {
  return {
    background: t.field({ type: 'ImageBackground', description: 'What lies behind the subject.' }),
    outputFormat: t.field({ type: 'ImageFormat', description: 'File format.' }),
    outputCompression: t.int({ description: '0–100, for JPEG and WebP.' }),
    seed: t.field({
      type: 'SafeInt',
      description: 'Same seed and same request: the same picture, as far as the model can.',
    }),
    guidanceScale: t.float({ description: 'How closely the model keeps to the prompt.' }),
    enhancePrompt: t.boolean({ description: 'May the provider rewrite the prompt?' }),
    watermark: t.boolean({ description: 'May the provider put its mark on it?' }),
    previews: t.int({
      required: true,
      defaultValue: 0,
      description: 'How many provisional pictures to show on the way, where the model can.',
    }),
    providerOptions: t.field({
      type: 'JSON',
      description: 'Settings that only this provider knows; see `ModelCapabilities.providerOptions`.',
    }),
  }
}

function conditions(t: InputFields) {
  return {
    strict: t.boolean({
      required: true,
      defaultValue: true,
      description: 'true: refuse what the model cannot honour. false: adjust, and say so in `warnings`.',
    }),
    fallbackModels: t.stringList({
      description: 'Tried in order when the first model cannot take the job; only those that can honour the request.',
    }),
    maxCost: t.field({
      type: 'Decimal',
      description: "Refuse if the estimate's upper bound is above this, in the server's currency.",
    }),
    deadlineSeconds: t.int({
      description: 'Give up, and charge nothing that was not made, when not finished in this time.',
    }),
    priority: t.field({
      type: 'GenerationPriority',
      required: true,
      defaultValue: 'NORMAL',
      description: "Order among the account's own generations.",
    }),
    providerApiKey: t.field({
      type: 'Secret',
      description:
        'A key for the provider of the model, for this generation alone: it pays, and no credits are spent. Encrypted while it waits, wiped when it ends, never logged or shown. Send it in a variable.',
    }),
    idempotencyKey: t.string({
      description:
        'Same key and same request: the same generation. Same key and another request: IdempotencyConflictError. Kept 24 h.',
    }),
  }
}

function labels(t: InputFields) {
  return {
    webhookUrl: t.field({
      type: 'URL',
      description:
        "Told when it starts and when it ends, as the account's webhook endpoints are; signed with `GenerateImageSuccess.webhookSecret`.",
    }),
    tags: t.stringList({ description: 'Words to find it by, and to report spending by.' }),
    metadata: t.field({ type: 'JSON', description: 'Anything of yours; given back as it is.' }),
    endUser: t.string({ description: "Your own user's id, for limits and reports." }),
  }
}
