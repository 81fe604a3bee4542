import { createHash } from 'node:crypto'
import { RequestError } from '../../errors.ts'
import type { Call } from '../call.ts'
import { CallRefusedError } from '../call-failures.ts'
import { couldBeForged, FORGERY_REFUSAL } from '../forgery.ts'
import { headerOf } from '../request-facts.ts'
import type { BodyFields } from './fields.ts'
import { readForm } from './form-body.ts'
import { UnreadableRequestError } from './malformed-request.ts'

export type BodyForms = 'json' | 'json or form'

/** UNSUPPORTED_MEDIA_TYPE, REQUEST_ENTITY_TOO_LARGE, FORBIDDEN for a form that a foreign page could send. */
export async function readFields(
  call: Call,
  forms: BodyForms,
  limits: { readonly jsonBytes: number; readonly uploadBytes: number },
): Promise<BodyFields> {
  const contentType = headerOf(call.request, 'content-type') ?? ''
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase()
  if (mediaType === 'application/json') return readJson(await call.readBody(limits.jsonBytes))
  if (mediaType !== 'multipart/form-data' || forms === 'json') throw unsupported(forms)
  if (couldBeForged('POST', (name) => headerOf(call.request, name)))
    throw new RequestError('FORBIDDEN', FORGERY_REFUSAL)
  return await readForm(await call.readBody(limits.uploadBytes), contentType)
}

function readJson(body: Buffer): BodyFields {
  const value = parse(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableRequestError('The body must be a JSON object of parameters by name.')
  }
  const digest = createHash('sha256').update(body).digest('base64url')
  return { values: new Map(Object.entries(value)), isText: false, digest }
}

/** What the parser says is left out: it quotes the body, which may hold a key. */
function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new UnreadableRequestError('The body is no JSON.')
  }
}

function unsupported(forms: BodyForms): CallRefusedError {
  const also = forms === 'json' ? '' : ' or multipart/form-data'
  return new CallRefusedError('UNSUPPORTED_MEDIA_TYPE', `Send the body as application/json${also}.`)
}
