/** Content-addressed within its generation: putting the same image again changes nothing. */
export function imageBlobKey(image: { generationId: string; sha256: string; extension: string }): string {
  return `${generationPrefix(image.generationId)}${image.sha256}.${image.extension}`
}

/** A picture that goes into a generation: below its prefix, so that deletion takes it too. */
export function inputBlobKey(input: { generationId: string; sha256: string; extension: string }): string {
  return `${generationPrefix(input.generationId)}input-${input.sha256}.${input.extension}`
}

/** The owner of an upload's bytes, as a generation is of its own: what stands in `doomedBlobs`, without the slash. */
export function uploadOwner(uploadId: string): string {
  return `uploads/${uploadId}`
}

export function uploadBlobKey(upload: { id: string; sha256: string; extension: string }): string {
  return `${generationPrefix(uploadOwner(upload.id))}${upload.sha256}.${upload.extension}`
}

export function generationPrefix(generationId: string): string {
  return `${generationId}/`
}

export const VARIANTS_PREFIX = 'variants/'

export function variantsPrefix(generationId: string): string {
  return `${VARIANTS_PREFIX}${generationId}/`
}
