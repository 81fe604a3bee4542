import type { Builder } from './builder.ts'

export function registerModelCapabilities(builder: Builder): void {
  registerSizes(builder)
  registerChoices(builder)
  registerSwitches(builder)
  builder.objectType('FloatRange', {
    description: 'From one number to another, both included.',
    fields: (t) => ({
      min: t.exposeFloat('min', { description: 'The smallest.' }),
      max: t.exposeFloat('max', { description: 'The largest.' }),
    }),
  })
  builder.objectType('SizeRange', {
    description: 'The lengths that a side may have, in pixels.',
    fields: (t) => ({
      min: t.exposeInt('min', { description: 'The shortest.' }),
      max: t.exposeInt('max', { description: 'The longest.' }),
      multipleOf: t.exposeInt('multipleOf', { description: 'Lengths are multiples of this.' }),
    }),
  })
}

function registerSizes(builder: Builder): void {
  builder.objectType('ModelCapabilities', {
    description: 'What a model can do, as its vendor states it.',
    fields: (t) => ({
      sizes: t.exposeStringList('sizes', {
        description: 'The sizes that it takes ("1024x1024"); empty: free within the ranges of the sides.',
      }),
      aspectRatios: t.exposeStringList('aspectRatios', { description: 'The aspect ratios that it takes ("16:9").' }),
      width: t.expose('width', { type: 'SizeRange', nullable: true, description: 'Widths that it takes.' }),
      height: t.expose('height', { type: 'SizeRange', nullable: true, description: 'Heights that it takes.' }),
      maxPixels: t.exposeInt('maxPixels', { nullable: true, description: 'Most pixels of one image.' }),
      minPixels: t.exposeInt('minPixels', { nullable: true, description: 'Fewest pixels of one image.' }),
      maxCount: t.exposeInt('maxCount', { description: 'Most images of one request.' }),
      maxPromptLength: t.exposeInt('maxPromptLength', {
        nullable: true,
        description: 'Longest prompt, in Unicode code points.',
      }),
      minReferenceImages: t.exposeInt('minReferenceImages', {
        description: 'Fewest reference images; above 0 for a model that only edits.',
      }),
      maxReferenceImages: t.exposeInt('maxReferenceImages', { description: 'Most reference images; 0: none.' }),
      maxPreviews: t.exposeInt('maxPreviews', { description: 'Most provisional pictures on the way; 0: none.' }),
    }),
  })
}

function registerChoices(builder: Builder): void {
  builder.objectFields('ModelCapabilities', (t) => ({
    qualities: t.exposeStringList('qualities', { description: 'Values that `quality` takes; empty: takes none.' }),
    styles: t.exposeStringList('styles', { description: 'Values that `style` takes; empty: takes none.' }),
    outputFormats: t.expose('outputFormats', { type: ['ImageFormat'], description: 'File formats that it makes.' }),
    backgrounds: t.expose('backgrounds', {
      type: ['ImageBackground'],
      description: 'Values that `background` takes; empty: takes none.',
    }),
    providerOptions: t.expose('providerOptions', {
      type: 'JSON',
      nullable: true,
      description: 'JSON Schema of `providerOptions`; null: takes none.',
    }),
  }))
}

function registerSwitches(builder: Builder): void {
  builder.objectFields('ModelCapabilities', (t) => ({
    outputCompression: t.exposeBoolean('outputCompression', { description: 'Takes `outputCompression`.' }),
    seed: t.exposeBoolean('seed', { description: 'Takes `seed`.' }),
    maxSeed: t.expose('maxSeed', { type: 'SafeInt', nullable: true, description: 'The largest seed; null: any.' }),
    negativePrompt: t.exposeBoolean('negativePrompt', { description: 'Takes `negativePrompt`.' }),
    guidanceScale: t.exposeBoolean('guidanceScale', { description: 'Takes `guidanceScale`.' }),
    guidanceScaleRange: t.expose('guidanceScaleRange', {
      type: 'FloatRange',
      nullable: true,
      description: 'Values that `guidanceScale` takes; null: not stated.',
    }),
    enhancePrompt: t.exposeBoolean('enhancePrompt', { description: 'Takes `enhancePrompt`.' }),
    watermark: t.exposeBoolean('watermark', { description: 'Takes `watermark`.' }),
    mask: t.exposeBoolean('mask', { description: 'Takes a mask with its reference image.' }),
    progress: t.exposeBoolean('progress', { description: 'Tells how far it is while it runs.' }),
  }))
}
