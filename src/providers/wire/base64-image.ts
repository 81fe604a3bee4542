import { ProviderError } from '../provider-error.ts'

/** A picture that a vendor hands over inside its answer, as a `data:` URI too. Throws ProviderError where it is none. */
export function decodeBase64Image(vendor: string, text: unknown): Uint8Array {
  const bytes = decodeBase64(text)
  if (bytes.byteLength > 0) return bytes
  const message = `${vendor} handed over a picture without bytes.`
  throw new ProviderError({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED', message, providerBilled: true })
}

/** As above, of a provisional picture; empty where it is none, which harms nobody. */
export function decodeBase64(text: unknown): Uint8Array {
  return Buffer.from(typeof text === 'string' ? text.replace(/^data:[^,]*,/, '') : '', 'base64')
}
