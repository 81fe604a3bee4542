import type { Builder } from './builder.ts'

/** The values inside a generation that have no life of their own. */
export function registerGenerationParts(builder: Builder): void {
  registerParameters(builder)
  registerCost(builder)
  registerTokens(builder)
  registerWarning(builder)
  registerQueue(builder)
}

function registerParameters(builder: Builder): void {
  builder.objectType('GenerationParameters', {
    description: 'What is asked of the provider. null: not said, so that the provider decides.',
    fields: (t) => ({
      width: t.exposeInt('width', { nullable: true, description: 'In pixels.' }),
      height: t.exposeInt('height', { nullable: true, description: 'In pixels.' }),
      aspectRatio: t.exposeString('aspectRatio', { nullable: true, description: 'Width to height, e.g. "16:9".' }),
      quality: t.exposeString('quality', { nullable: true, description: 'One of the qualities of the model.' }),
      style: t.exposeString('style', { nullable: true, description: 'One of the styles of the model.' }),
      background: t.expose('background', {
        type: 'ImageBackground',
        nullable: true,
        description: 'What lies behind the subject.',
      }),
    }),
  })
  registerFurtherParameters(builder)
}

function registerFurtherParameters(builder: Builder): void {
  builder.objectFields('GenerationParameters', (t) => ({
    outputFormat: t.expose('outputFormat', { type: 'ImageFormat', nullable: true, description: 'File format.' }),
    outputCompression: t.exposeInt('outputCompression', {
      nullable: true,
      description: '0–100, for JPEG and WebP.',
    }),
    seed: t.expose('seed', {
      type: 'SafeInt',
      nullable: true,
      description: 'Same seed and same request: the same picture, as far as the model can.',
    }),
    guidanceScale: t.exposeFloat('guidanceScale', {
      nullable: true,
      description: 'How closely the model keeps to the prompt.',
    }),
    enhancePrompt: t.exposeBoolean('enhancePrompt', {
      nullable: true,
      description: 'May the provider rewrite the prompt?',
    }),
    watermark: t.exposeBoolean('watermark', { nullable: true, description: 'Does the provider put its mark on it?' }),
    referenceImages: t.exposeInt('referenceImages', { description: 'How many reference images go with it.' }),
    providerOptions: t.expose('providerOptions', {
      type: 'JSON',
      nullable: true,
      description: 'Settings that only this provider knows.',
    }),
  }))
}

function registerCost(builder: Builder): void {
  builder.objectType('GenerationCost', {
    description: 'What a generation may cost, holds and has cost.',
    fields: (t) => ({
      estimated: t.field({
        type: 'MoneyRange',
        nullable: true,
        description:
          "As it was told before anything was called; null: the price is not known. Nothing where a key of the caller's own pays.",
        resolve: ({ estimateMinMicros: minMicros, estimateMaxMicros: maxMicros }) =>
          minMicros === null || maxMicros === null ? null : { minMicros, maxMicros },
      }),
      held: t.field({
        type: 'Money',
        description: 'Held now; zero once settled.',
        resolve: (generation, _args, { services }) => services.currency.toMoney(generation.heldMicros),
      }),
      charged: t.field({
        type: 'Money',
        nullable: true,
        description: 'What the account paid; null until settled.',
        resolve: ({ chargedMicros }, _args, { services }) =>
          chargedMicros === null ? null : services.currency.toMoney(chargedMicros),
      }),
      providerReported: t.field({
        type: 'Money',
        nullable: true,
        description: 'What the provider said that it cost, where it says so.',
        resolve: ({ providerReportedMicros }, _args, { services }) =>
          providerReportedMicros === null ? null : services.currency.toMoney(providerReportedMicros),
      }),
      ownKey: t.boolean({
        description:
          "true when a provider key of the caller's own pays: no credits are held or charged, and the provider bills the owner of the key.",
        resolve: ({ keySource }) => keySource !== 'SERVER',
      }),
    }),
  })
}

function registerTokens(builder: Builder): void {
  builder.objectType('TokenUsage', {
    description: 'Tokens as the provider counts them; null: not told.',
    fields: (t) => ({
      input: t.exposeInt('input', { nullable: true, description: 'Taken in.' }),
      output: t.exposeInt('output', { nullable: true, description: 'Given out.' }),
      total: t.exposeInt('total', { nullable: true, description: 'Both together.' }),
    }),
  })
}

function registerWarning(builder: Builder): void {
  builder.objectType('Warning', {
    description: 'Something that the caller should know; nothing is changed or left out without one.',
    fields: (t) => ({
      code: t.exposeString('code', {
        description:
          'ADJUSTED, IGNORED, DEPRECATED_MODEL, UNKNOWN_PRICE, FALLBACK_USED, MODEL_REPLACED; more may be added.',
      }),
      field: t.exposeString('field', { nullable: true, description: 'Field of the input that it concerns.' }),
      requested: t.exposeString('requested', { nullable: true, description: 'What was asked for.' }),
      used: t.exposeString('used', { nullable: true, description: 'What is used in its place; null: nothing.' }),
      message: t.exposeString('message', { description: 'For people, in English.' }),
    }),
  })
}

function registerQueue(builder: Builder): void {
  builder.objectType('QueuePlace', {
    description: 'Where a generation stands in the queue.',
    fields: (t) => ({
      position: t.exposeInt('position', { description: '1 is next.' }),
      expectedWaitMs: t.field({
        type: 'DurationRange',
        nullable: true,
        description: 'Milliseconds, from recent runs of the same model; null while there are too few.',
        resolve: (place) => place.expectedWaitMs,
      }),
    }),
  })
  builder.objectType('DurationRange', {
    description: 'Durations as they were seen, in milliseconds.',
    fields: (t) => ({
      p50: t.exposeInt('p50', { description: 'Half take no longer.' }),
      p90: t.exposeInt('p90', { description: 'Nine in ten take no longer.' }),
    }),
  })
}
