import { print } from 'graphql'
import { UploadImageDocument, type UploadImageMutation } from '../../schema/generated/operations.ts'
import { fileOf } from './picture-shelf.ts'

type Answer = {
  readonly data?: UploadImageMutation
  readonly errors?: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[]
}

/** `uploadImage` as a browser sends it; whatever the server says. */
export async function askUpload(url: string, secret: string, bytes: Uint8Array) {
  const body = new FormData()
  body.set('operations', JSON.stringify({ query: print(UploadImageDocument), variables: { file: null } }))
  body.set('map', JSON.stringify({ 0: ['variables.file'] }))
  body.set('0', fileOf(bytes))
  const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${secret}` }, body })
  const { data, errors = [] }: Answer = await response.json()
  return { status: response.status, uploaded: data?.uploadImage, errors }
}

/** The upload; throws for every other member of the union. */
export async function upload(url: string, secret: string, bytes: Uint8Array) {
  const answer = await askUpload(url, secret, bytes)
  if (answer.uploaded?.__typename !== 'UploadImageSuccess') throw new Error(JSON.stringify(answer))
  return answer.uploaded.upload
}
