import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Exchange } from '../call.ts'
import { headerOf } from '../request-facts.ts'
import { type Failure, sendJson } from '../response-headers.ts'
import { assertScope } from '../scope-check.ts'
import type { OpenDoor } from '../server-options.ts'
import { findEndpoint } from './address.ts'
import { COUNT_HEADER, createBeginning } from './beginning.ts'
import type { RestDeps } from './endpoint.ts'
import { ENDPOINTS } from './endpoints.ts'
import { describeError, typeOf } from './error-body.ts'
import { openFields, type RawFields } from './fields.ts'
import { adviseRetry } from './retry-advice.ts'

/** The OpenAI-compatible door, and what else scripts need: `/v1/…`. */
export function createRestDoor(deps: RestDeps): OpenDoor {
  return (desk) => {
    const { limits } = desk
    const endpointDeps = { ...deps, limits, begin: createBeginning(deps) }
    return {
      prefix: '/v1/',
      name: 'rest',
      async handle(request, response, info) {
        let picturesIn = 'image'
        try {
          const { endpoint, id, search } = findEndpoint(ENDPOINTS, request.method ?? '', request.url)
          await desk.serve({ request, response, info }, async (call) => {
            assertScope(call.viewer, endpoint.name, endpoint.scopes)
            const query = openFields(readQuery(search))
            const noteFields = (name: string) => {
              picturesIn = name
            }
            await endpoint.run({ ...call, id, query, noteFields }, endpointDeps)
          })
        } catch (error) {
          sendFailure({ request, response, info }, error, { readFailure: deps.readFailure, picturesIn })
        }
      },
      refuse: sendRefusal,
    }
  }
}

function readQuery(search: URLSearchParams): RawFields {
  const values = new Map<string, unknown>()
  for (const name of new Set(search.keys())) {
    const all = search.getAll(name)
    values.set(name, all.length > 1 ? all : all[0])
  }
  return { values, isText: true }
}

function sendFailure(
  { request, response }: Exchange,
  error: unknown,
  context: Parameters<typeof describeError>[1],
): void {
  // Nobody is there to be told, and what was begun goes on.
  if (response.destroyed || request.errored) return
  const { status, headers, body } = describeError(error, context)
  if (response.headersSent) {
    response.destroy()
    return
  }
  const advice = adviceFor(request, error, status)
  if (advice !== null) response.setHeader('x-should-retry', advice)
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  sendJson(response, status, body)
}

/** Only what makes something is dangerous to repeat. */
function adviceFor(request: IncomingMessage, error: unknown, status: number): string | null {
  if (request.method !== 'POST') return null
  const has = (name: string) => headerOf(request, name) !== null
  return adviseRetry(error, { status, hasKey: has('idempotency-key'), isCounted: has(COUNT_HEADER) })
}

function sendRefusal(response: ServerResponse, { status, code, message }: Failure): void {
  sendJson(response, status, { error: { message, type: typeOf(status), param: null, code: code.toLowerCase() } })
}
