/** Content-addressed within its generation: putting the same image again changes nothing. */
export function imageBlobKey(image: { generationId: string; sha256: string; extension: string }): string {
  return `${generationPrefix(image.generationId)}${image.sha256}.${image.extension}`
}

export function generationPrefix(generationId: string): string {
  return `${generationId}/`
}

export const VARIANTS_PREFIX = 'variants/'

export function variantsPrefix(generationId: string): string {
  return `${VARIANTS_PREFIX}${generationId}/`
}
