import { isPublicAddress, literalAddress } from '../outbound/public-address.ts'

export const MAX_WEBHOOK_URL_LENGTH = 2_048

/**
 * What speaks against sending messages there, as far as that can be seen by the address; null: nothing. Where its name
 * leads is judged when it is connected to. `trustedOrigins`: of the operator's own network.
 */
export function findUrlFault(text: string, trustedOrigins: readonly string[]): string | null {
  // A parser would drop line breaks and blanks, and what is sent to would not be what was written.
  const isPlain = text.length <= MAX_WEBHOOK_URL_LENGTH && /^[\x21-\x7e]+$/.test(text)
  const url = isPlain ? URL.parse(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return `It must be an absolute URL of at most ${MAX_WEBHOOK_URL_LENGTH} characters without blanks, such as https://app.example.com/hooks.`
  }
  if (url.username !== '' || url.password !== '') return 'It must not hold a name or password: messages are signed.'
  if (trustedOrigins.includes(url.origin)) return null
  if (url.protocol !== 'https:') return 'It must begin with https://.'
  const literal = literalAddress(url.hostname)
  const isPublic = literal === null ? isPublicName(url.hostname) : isPublicAddress(literal)
  return isPublic ? null : 'It must be a public address.'
}

function isPublicName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '').toLowerCase()
  return name.includes('.') && !/\.(localhost|local|internal)$/.test(name)
}
