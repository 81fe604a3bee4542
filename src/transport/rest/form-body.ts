import { createHash } from 'node:crypto'
import type { BodyFields } from './fields.ts'
import { UnreadableRequestError } from './malformed-request.ts'

/** Far above what one request can use: sixteen pictures, a mask and each field once. */
const MAX_PARTS = 100

/** `name[]` is one of several of `name`, and `name[key]` a setting in it, as SDKs write lists and objects. */
const BRACKETED = /^([^[\]]+)\[([^[\]]*)\]$/

/** Files come as their bytes, all else as text. UnreadableRequestError. */
export async function readForm(body: Buffer<ArrayBuffer>, contentType: string): Promise<BodyFields> {
  assertFewParts(body, contentType)
  const values = new Map<string, unknown>()
  const digest = createHash('sha256')
  for (const [name, value] of await parse(body, contentType)) {
    const [, base = name, key] = BRACKETED.exec(name) ?? []
    const content = typeof value === 'string' ? value : new Uint8Array(await value.arrayBuffer())
    digest.update(JSON.stringify([name, content.length])).update(content)
    put(values, { base, key, value: content })
  }
  return { values, isText: true, digest: digest.digest('base64url') }
}

/** Before the parser makes an object of each. */
function assertFewParts(body: Buffer, contentType: string): void {
  const [, quoted, bare] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? bare
  if (boundary === undefined) throw new UnreadableRequestError('The form names no boundary.')
  let parts = 0
  for (let at = body.indexOf(`--${boundary}`); at >= 0; at = body.indexOf(`--${boundary}`, at + 1)) {
    parts += 1
    if (parts > MAX_PARTS + 1) throw new UnreadableRequestError(`A form has at most ${MAX_PARTS} parts.`)
  }
}

async function parse(body: Buffer<ArrayBuffer>, contentType: string): Promise<FormData> {
  try {
    return await new Response(body, { headers: { 'content-type': contentType } }).formData()
  } catch {
    throw new UnreadableRequestError('The form cannot be read.')
  }
}

type Part = { readonly base: string; readonly key: string | undefined; readonly value: string | Uint8Array }

function put(values: Map<string, unknown>, { base, key, value }: Part): void {
  const before = values.get(base)
  if (key) {
    values.set(base, { ...(isRecord(before) ? before : {}), [key]: value })
    return
  }
  if (before !== undefined) values.set(base, [...(Array.isArray(before) ? before : [before]), value])
  else values.set(base, key === '' ? [value] : value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}
