import { NotFoundError } from '../../errors.ts'
import { watchToEnd } from '../../generation/generation-end.ts'
import type { Generation } from '../../generation/generation-types.ts'
import { headerOf } from '../request-facts.ts'
import type { Endpoint, EndpointDeps, RestCall } from './endpoint.ts'
import { viewGeneration } from './generation-view.ts'
import { appliedPreference, readPreference } from './preferences.ts'

/** As it stands, whatever became of it; with `Prefer: wait=…` when it has ended, or when that time is over. */
const read: Endpoint = {
  method: 'GET',
  path: /^\/v1\/images\/generations\/([^/]+)$/,
  name: 'GET /v1/images/generations/{id}',
  scopes: ['read'],
  async run(call, deps) {
    const format = call.query.choice('response_format', ['url', 'b64_json'])
    call.query.finish()
    const found = await deps.services.reader.find(call.viewer, call.id)
    if (found === undefined) throw new NotFoundError('generation')
    const generation = await afterWaiting(call, found, deps)
    await sendGeneration(call, generation, format === 'b64_json', deps)
  },
}

/** Keeps what was made, and says what it cost. */
const cancel: Endpoint = {
  method: 'POST',
  path: /^\/v1\/images\/generations\/([^/]+)\/cancel$/,
  name: 'POST /v1/images/generations/{id}/cancel',
  scopes: ['generate'],
  async run(call, deps) {
    call.query.finish()
    const { generation, effect } = await call.inTime(deps.services.generations.cancel(call.viewer, call.id))
    const view = await viewGeneration(deps.services, generation, false)
    await call.answer(200, { ...view, cancel_effect: effect.toLowerCase() })
  },
}

export const GENERATIONS_ENDPOINTS: readonly Endpoint[] = [read, cancel]

async function afterWaiting(call: RestCall, found: Generation, deps: EndpointDeps): Promise<Generation> {
  const preference = readPreference(headerOf(call.request, 'prefer'))
  const { services, limits } = deps
  if (preference.waitMs === null) return found
  const hold = await call.hold({ limitMs: Math.min(preference.waitMs, limits.waitMs), transport: 'http' })
  try {
    call.response.setHeader('preference-applied', appliedPreference({ ...preference, isAsync: false }) ?? '')
    const ended = await watchToEnd(services.watcher, call.viewer, found.id, { signal: hold.signal })
    return ended ?? (await services.reader.find(call.viewer, found.id)) ?? found
  } finally {
    hold.release()
  }
}

async function sendGeneration(
  call: RestCall,
  generation: Generation,
  bytes: boolean,
  { services }: EndpointDeps,
): Promise<void> {
  if (bytes) await call.holdPictures()
  const view = await viewGeneration(services, generation, bytes)
  await call.answer(200, view)
}
