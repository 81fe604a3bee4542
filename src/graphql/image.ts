import type { Builder } from './builder.ts'
import { loadGenerations } from './loaders.ts'

/** Bytes inside an answer weigh on server and client alike: a page of them is refused. */
const BASE64_COST = 200

export function registerImage(builder: Builder): void {
  registerType(builder)
  registerBytes(builder)
  registerEnums(builder)
}

function registerType(builder: Builder): void {
  builder.objectType('Image', {
    description: 'A stored picture of a generation.',
    interfaces: ['Node'],
    fields: (t) => ({
      generation: t.loadable({
        type: 'Generation',
        description: 'The generation that made it.',
        load: loadGenerations,
        loaderOptions: { cache: false },
        resolve: (image) => image.generationId,
      }),
      index: t.exposeInt('imageIndex', { description: '0 to `count − 1`. Where one failed, its index is missing.' }),
      thumbhash: t.exposeString('thumbhash', {
        description: 'A few dozen bytes that paint a placeholder (ThumbHash, base64).',
      }),
      mimeType: t.exposeString('mimeType', { description: 'Media type of the stored bytes, as probed from them.' }),
      width: t.exposeInt('width', { description: 'In pixels, as probed from the bytes.' }),
      height: t.exposeInt('height', { description: 'In pixels, as probed from the bytes.' }),
      sizeBytes: t.exposeInt('sizeBytes', { description: 'Length of the stored bytes.' }),
      sha256: t.exposeString('sha256', { description: 'SHA-256 of the stored bytes, in hexadecimal.' }),
      revisedPrompt: t.exposeString('revisedPrompt', {
        nullable: true,
        description: 'The prompt as the provider rewrote it.',
      }),
      seed: t.expose('seed', {
        type: 'SafeInt',
        nullable: true,
        description: 'The seed, where the provider tells it.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was stored.' }),
    }),
  })
}

function registerBytes(builder: Builder): void {
  builder.objectFields('Image', (t) => ({
    url: t.field({
      type: 'URL',
      description:
        'Signed address of the picture or of a variant of it. Lives as long as asked, and can be asked for at any time.',
      args: {
        width: t.arg.int({ description: 'Width of the variant, in pixels.' }),
        height: t.arg.int({ description: 'Height of the variant, in pixels.' }),
        fit: t.arg({
          type: 'ImageFit',
          defaultValue: 'INSIDE',
          description: 'How the picture fits into width and height.',
        }),
        format: t.arg({ type: 'ImageFormat', description: 'File format; without it, as stored.' }),
        quality: t.arg.int({ description: '1–100, for JPEG and WebP.' }),
        expiresInSeconds: t.arg.int({ description: 'How long the address lives; without it, 7 days.' }),
      },
      resolve: (image, args, { services }) =>
        services.images.url(
          image,
          {
            width: args.width ?? null,
            height: args.height ?? null,
            fit: args.fit ?? 'INSIDE',
            format: args.format ?? null,
            quality: args.quality ?? null,
          },
          args.expiresInSeconds ?? null,
        ),
    }),
    base64: t.string({
      complexity: BASE64_COST,
      description: 'The bytes themselves, for clients without a way to fetch. Costs much; prefer `url`.',
      resolve: (image, _args, { services }) => services.images.base64(image),
    }),
  }))
}

function registerEnums(builder: Builder): void {
  builder.enumType('ImageFormat', {
    description: 'File format of a picture.',
    values: {
      PNG: { description: 'Lossless.' },
      JPEG: { description: 'Small; no transparency.' },
      WEBP: { description: 'Small, with transparency.' },
    },
  })
  builder.enumType('ImageBackground', {
    description: 'What lies behind the subject.',
    values: {
      AUTO: { description: 'The model decides.' },
      OPAQUE: { description: 'Filled.' },
      TRANSPARENT: { description: 'Nothing; needs PNG or WebP.' },
    },
  })
  builder.enumType('ImageFit', {
    description: 'How a picture fits into a width and a height.',
    values: {
      INSIDE: { description: 'As large as it can be inside them; never enlarged.' },
      COVER: { description: 'Fills them; what does not fit is cut off.' },
      CONTAIN: { description: 'Fits into them whole; the rest is left empty.' },
    },
  })
}
