import sharp from 'sharp'
import type { Family, Fault, Fields } from './openai-parameters.ts'
import type { WireRequest } from './wire-server.ts'

export type Picture = { readonly width: number; readonly height: number }

/** The form of `POST /images/edits`: its fields as JSON would have them, and its pictures. */
export type EditForm = { readonly fields: Fields; readonly pictures: readonly Picture[]; readonly fault?: Fault }

const NUMBERS = ['n', 'output_compression', 'partial_images']
const TYPES: Readonly<Record<string, readonly [type: string, extension: RegExp]>> = {
  png: ['image/png', /\.png$/],
  jpeg: ['image/jpeg', /\.jpe?g$/],
  webp: ['image/webp', /\.webp$/],
}

export async function readEditForm(request: WireRequest): Promise<EditForm> {
  if (!request.headers['content-type']?.startsWith('multipart/form-data; boundary='))
    return refuse({}, 'image', 'The request must be multipart/form-data.')
  const form = await request.form()
  const texts = [...form].filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const fields = Object.fromEntries(texts.map(([name, text]) => [name, readField(name, text)]))
  const strange = [...form.keys()].find(
    (name) => form.get(name) instanceof File && !['image', 'image[]', 'mask'].includes(name),
  )
  if (strange) return refuse(fields, strange, `Unknown file: '${strange}'.`)
  const images = [...form.getAll('image'), ...form.getAll('image[]')]
  if (images.length === 0 || images.length > 16) return refuse(fields, 'image', 'Give from 1 to 16 images.')
  const pictures: Picture[] = []
  for (const image of images) {
    const picture = await readPicture(image, ['png', 'jpeg', 'webp'], 50)
    if (!picture) return refuse(fields, 'image', 'An image is no PNG, JPEG or WebP file of less than 50 MB.')
    pictures.push(picture)
  }
  const mask = form.get('mask')
  if (mask === null) return { fields, pictures }
  const [first] = pictures
  const over = await readPicture(mask, ['png'], 4)
  if (!over) return refuse(fields, 'mask', 'The mask is no PNG file of less than 4 MB.')
  if (over.width !== first?.width || over.height !== first.height)
    return refuse(fields, 'mask', 'The mask is not of the size of the image.')
  return { fields, pictures }
}

/** Each model has its own way to be given pictures. */
export async function findFormFault(request: WireRequest, family: Family): Promise<Fault | undefined> {
  const form = await request.form()
  if (family === 'dall-e-3') return fault('model', 'dall-e-3 does not edit.')
  if (family !== 'dall-e-2') return undefined
  const image = form.get('image')
  const picture = image && form.getAll('image').length === 1 ? await readPicture(image, ['png'], 4) : undefined
  if (!picture || picture.width !== picture.height || form.has('image[]'))
    return fault('image', 'The image must be one square PNG of less than 4 MB.')
  return undefined
}

function readField(name: string, text: string): unknown {
  if (NUMBERS.includes(name)) return Number(text)
  if (name === 'stream') return text === 'true'
  return text
}

async function readPicture(
  value: FormDataEntryValue,
  formats: readonly string[],
  megabytes: number,
): Promise<Picture | undefined> {
  if (typeof value === 'string' || value.size >= megabytes * 1024 * 1024) return undefined
  const bytes = Buffer.from(await value.arrayBuffer())
  const { format, width, height } = await sharp(bytes).metadata()
  const [type, extension] = TYPES[format] ?? []
  const isNamed = extension?.test(value.name) === true && value.type === type
  return formats.includes(format) && isNamed ? { width, height } : undefined
}

function fault(param: string, message: string): Fault {
  return { param, code: 'invalid_value', message }
}

function refuse(fields: Fields, param: string, message: string): EditForm {
  return { fields, pictures: [], fault: fault(param, message) }
}
