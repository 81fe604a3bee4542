import type { ReferenceImageFields } from '../../generation/given-input.ts'
import type { Fields } from './fields.ts'

const WAYS = 'an http(s) address, a data: URI, a file of a form, or the id of an image or upload (img_…, upl_…)'

/**
 * Pictures in the ways of the official API: files of a form, `{ image_url }`, `{ file_id }`, and addresses alone. null:
 * none. Never more than a few: what is too many is said by the house.
 */
export function readPictures(fields: Fields, name: string): readonly ReferenceImageFields[] | null {
  const value = fields.raw(name)
  if (value === null) return null
  const list = Array.isArray(value) ? value : [value]
  return list.map((each, index) => readPicture(fields, Array.isArray(value) ? `${name}.${index}` : name, each))
}

export function readMask(fields: Fields): ReferenceImageFields | null {
  const value = fields.raw('mask')
  return value === null ? null : readPicture(fields, 'mask', value)
}

function readPicture(fields: Fields, param: string, value: unknown): ReferenceImageFields {
  if (value instanceof Uint8Array) return { bytes: value }
  const named = typeof value === 'string' ? readText(value) : readObject(value)
  if (named) return named
  fields.fault({ param, message: `It must be ${WAYS}.`, code: 'invalid_type', allowed: [] })
  return {}
}

function readText(text: string): ReferenceImageFields | null {
  if (text.startsWith('img_')) return { imageId: text }
  if (text.startsWith('upl_')) return { uploadId: text }
  if (/^data:/i.test(text)) return { base64: text }
  return /^https?:\/\//i.test(text) ? { url: text } : null
}

function readObject(value: unknown): ReferenceImageFields | null {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return null
  if ('image_url' in value && typeof value.image_url === 'string') return readText(value.image_url)
  if ('file_id' in value && typeof value.file_id === 'string') return readText(value.file_id)
  return null
}
