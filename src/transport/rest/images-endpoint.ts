import { toGenerationInput } from '../../generation/given-input.ts'
import { headerOf } from '../request-facts.ts'
import { readFields } from './body.ts'
import type { Endpoint, EndpointDeps, RestCall } from './endpoint.ts'
import { describeEstimate } from './estimate-view.ts'
import { type ImageRequest, readImageRequest } from './generation-fields.ts'
import { answerWithImages } from './image-answer.ts'

const generate: Endpoint = {
  method: 'POST',
  path: /^\/v1\/images\/generations$/,
  name: 'POST /v1/images/generations',
  scopes: ['generate'],
  run: async (call, deps) => answerWithImages(call, await readRequest(call, 'generations', deps), deps),
}

const edit: Endpoint = {
  method: 'POST',
  path: /^\/v1\/images\/edits$/,
  name: 'POST /v1/images/edits',
  scopes: ['generate'],
  run: async (call, deps) => answerWithImages(call, await readRequest(call, 'edits', deps), deps),
}

/** Of either: whoever sends pictures asks what an edit costs. */
const estimate: Endpoint = {
  method: 'POST',
  path: /^\/v1\/images\/estimate$/,
  name: 'POST /v1/images/estimate',
  scopes: ['read', 'generate'],
  async run(call, deps) {
    const request = await readRequest(call, 'estimate', deps)
    const { generations, currency } = deps.services
    const told = await call.inTime(generations.estimate(call.viewer, toGenerationInput(request.takeInput())))
    await call.answer(200, describeEstimate(currency, told))
  },
}

export const IMAGES_ENDPOINTS: readonly Endpoint[] = [generate, edit, estimate]

async function readRequest(
  call: RestCall,
  kind: ImageRequest['kind'],
  { limits }: EndpointDeps,
): Promise<ImageRequest> {
  call.query.finish()
  const body = await readFields(call, kind === 'generations' ? 'json' : 'json or form', limits)
  const request = readImageRequest(body, kind, headerOf(call.request, 'idempotency-key'))
  call.noteFields(request.picturesIn)
  return request
}
