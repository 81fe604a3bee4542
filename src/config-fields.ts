import { isIP } from 'node:net'
import { z } from 'zod'
import { parseRatio } from './money.ts'
import { Secret } from './secret.ts'

// How variables of the environment are read: each says what it must be when it is not.

const factor = (text: string) => {
  const ratio = parseRatio(text)
  return ratio !== null && ratio.numerator > 0n
}

export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)

export const wholeNumber = (range: { min: number; max: number }) =>
  z
    .string()
    .regex(/^\d+$/, { error: `must be a whole number from ${range.min} to ${range.max}` })
    .transform(Number)
    .refine((value) => value >= range.min && value <= range.max, {
      error: `must be a whole number from ${range.min} to ${range.max}`,
    })

export const decimal = z.string().refine(factor, { error: 'must be a plain decimal greater than 0, such as 0.92' })
export const onOff = z.enum(['on', 'off'], { error: 'must be `on` or `off`' }).transform((value) => value === 'on')

const DAY_MS = 86_400_000
const MAX_DAYS = 36_500

/** In milliseconds. */
export const days = z
  .string()
  .refine((text) => /^\d+(\.\d+)?$/.test(text) && Number(text) * DAY_MS >= 1 && Number(text) <= MAX_DAYS, {
    error: `must be a plain number of days above 0 and up to ${MAX_DAYS}, such as 90`,
  })
  .transform((text) => Math.round(Number(text) * DAY_MS))

export const perMinute = z
  .string()
  .regex(/^(off|[1-9]\d{0,8})$/, { error: 'must be `off` or a whole number from 1 to 999999999' })
  .transform((text) => (text === 'off' ? null : Number(text)))

export const webUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    error: 'must be an absolute http(s) URL, such as https://images.example.com',
  })
  .transform((text) => text.replace(/\/+$/, ''))

export const redisUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol) && new URL(text).hostname !== '', {
    error: 'must be redis://<host>:<port>, or rediss://… for TLS; user and password as in redis://user:password@host',
  })
  .transform((text) => new Secret(text))

export const previousSecrets = list
  .refine((secrets) => secrets.every((secret) => Buffer.byteLength(secret) >= 32), {
    error: 'must be secrets of at least 32 bytes each, parted by commas',
  })
  .transform((secrets) => secrets.map((secret) => new Secret(secret)))

export const apiKey = z
  .string()
  .regex(/^[\x21-\x7e]+$/, { error: 'must be printable ASCII without spaces, as the vendor shows it' })
  .transform((text) => new Secret(text))

export const origins = (example: string) =>
  list.refine((given) => given.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin), {
    error: `must be origins parted by commas, ${example}: no path, no slash at the end`,
  })

export const networks = list.refine((given) => given.every(isNetwork), {
  error: 'must be addresses or networks parted by commas, such as 127.0.0.1, 10.0.0.0/8',
})

/** `10.0.0.0/8`, or an address alone. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
