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

/** What a key says, of one that we write. `owner` is the first part of it: a generation's id, or an upload's owner. */
export type OwnBlobKey =
  | { readonly kind: 'IMAGE' | 'INPUT' | 'UPLOAD'; readonly owner: string; readonly sha256: string }
  /** `sha256` is that of the image which it is a variant of. */
  | { readonly kind: 'VARIANT'; readonly owner: string; readonly sha256: string }
  /** Written and taken away again, to see whether that can be done. */
  | { readonly kind: 'PROBE' }

const OWN_KEYS = [
  { kind: 'IMAGE', form: /^(gen_[a-z0-9]{1,64})\/([0-9a-f]{64})\.[a-z0-9]{1,8}$/ },
  { kind: 'INPUT', form: /^(gen_[a-z0-9]{1,64})\/input-([0-9a-f]{64})\.[a-z0-9]{1,8}$/ },
  { kind: 'UPLOAD', form: /^(uploads\/upl_[a-z0-9]{1,64})\/([0-9a-f]{64})\.[a-z0-9]{1,8}$/ },
  {
    kind: 'VARIANT',
    form: /^variants\/(gen_[a-z0-9]{1,64})\/([0-9a-f]{64})\/[a-z0-9-]{1,64}-[0-9a-f]{8}\.[a-z0-9]{1,8}$/,
  },
] as const
const PROBE_KEY = /^(check-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|doctor-\d{1,10})$/

/** undefined: we write no such key, so that somebody else has put the bytes there. */
export function parseBlobKey(key: string): OwnBlobKey | undefined {
  for (const { kind, form } of OWN_KEYS) {
    const [, owner, sha256] = form.exec(key) ?? []
    if (owner !== undefined && sha256 !== undefined) return { kind, owner, sha256 }
  }
  return PROBE_KEY.test(key) ? { kind: 'PROBE' } : undefined
}
