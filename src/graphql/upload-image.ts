import { InvalidInputError, RateLimitedError } from '../errors.ts'
import type { Builder } from './builder.ts'

/** Bytes are decoded and written anew: dear for the server, and a few at a time are enough. */
const UPLOAD_COST = 200

export function registerUploadImage(builder: Builder): void {
  builder.objectType('Upload', {
    description:
      'A picture that waits to be used by `ReferenceImageInput.uploadId`. A generation keeps a copy of its own.',
    interfaces: ['Node'],
    fields: (t) => ({
      width: t.exposeInt('width', { description: 'In pixels, upright.' }),
      height: t.exposeInt('height', { description: 'In pixels, upright.' }),
      mimeType: t.exposeString('mimeType', { description: 'Media type, as found in the bytes.' }),
      sizeBytes: t.exposeInt('sizeBytes', { description: 'Length of the bytes as they are kept.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it goes: 24 hours after it came.' }),
    }),
  })
  builder.objectType('UploadImageSuccess', {
    description: 'The picture was decoded, stripped of metadata and kept.',
    fields: (t) => ({
      upload: t.field({ type: 'Upload', description: 'The upload.', resolve: ({ upload }) => upload }),
    }),
  })
  builder.mutationField('uploadImage', (t) =>
    t.field({
      type: 'UploadImageSuccess',
      errors: {
        types: [InvalidInputError, RateLimitedError],
        union: { name: 'UploadImageResult', description: 'The upload, or why there is none.' },
      },
      authScopes: { generate: true },
      complexity: UPLOAD_COST,
      description:
        'Takes a reference image by multipart request: PNG, JPEG or WebP, at most 20 MiB and 64 million pixels. Decoded, bounded, stripped of metadata and re-encoded before it is kept.',
      args: { file: t.arg({ type: 'File', required: true, description: 'The picture.' }) },
      resolve: async (_root, { file }, { services, viewer }) => ({
        upload: await services.uploads.create(viewer, file),
      }),
    }),
  )
}
