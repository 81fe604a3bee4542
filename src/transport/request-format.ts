import { GraphQLError } from 'graphql'
import { couldBeForged, FORGERY_REFUSAL } from './forgery.ts'
import type { HostGuard } from './host-guard.ts'
import type { TransportPlugin } from './plugin-context.ts'

/**
 * Cross-site request forgery: whatever a browser would send to us without a preflight is refused, but for watching by
 * `EventSource`, which can set no header, from pages that may read us anyway. Where keys are required a foreign page has
 * none to show; this guards the local account. Content types that nothing here reads are left to be answered with 415.
 */
export function createRequestFormat(guard: HostGuard): TransportPlugin {
  return {
    onRequestParse({ request, url, serverContext, requestParser, setRequestParser }) {
      const { scope } = serverContext
      if (couldBeForged(request.method, (name) => request.headers.get(name))) {
        const mayWatch = request.method === 'GET' && acceptsEventStream(request) && guard.allowsOrigin(scope.request)
        if (!mayWatch) throw forgeryRefusal()
        scope.subscriptionOnly = true
      }
      if (!requestParser) return
      setRequestParser(async (parsed) => {
        try {
          const params = await requestParser(withPlainMap(parsed))
          return request.method === 'GET' ? withDocumentId(params, url) : params
        } catch (error) {
          throw formatRefusal(error)
        }
      })
    },
  }
}

/** Yoga reads those parameters of an address that GraphQL over HTTP had before it knew of ids. */
function withDocumentId<Params extends object>(params: Params, { searchParams }: URL): Params {
  const documentId = searchParams.get('documentId')
  return documentId === null ? params : { ...params, documentId }
}

/** Of two files for one variable Yoga would take the later and drop the other in silence. */
function withPlainMap(request: Request): Request {
  const readForm = async () => {
    const form = await request.formData()
    assertOneFileEach(form.get('map'))
    return form
  }
  return new Proxy(request, {
    get(target, name) {
      if (name === 'formData') return readForm
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** What else may be wrong with the map is the parser's to say. */
function assertOneFileEach(map: unknown): void {
  const places = typeof map === 'string' ? listPlaces(map) : []
  if (new Set(places).size === places.length) return
  throw new GraphQLError('Two parts of the request are mapped to one variable.')
}

function listPlaces(map: string): readonly unknown[] {
  try {
    return Object.values(JSON.parse(map)).flat()
  } catch {
    return []
  }
}

export function forgeryRefusal(): GraphQLError {
  return new GraphQLError(FORGERY_REFUSAL, { extensions: { code: 'FORBIDDEN', http: { status: 403 } } })
}

function acceptsEventStream(request: Request): boolean {
  return request.headers.get('accept')?.toLowerCase().includes('text/event-stream') ?? false
}

/**
 * Yoga answers some unreadable requests with 200 or 500, and tells what the JSON parser said, which quotes the body. They
 * are the caller's fault, whatever it accepts, and nothing of the body is echoed.
 */
function formatRefusal(error: unknown): GraphQLError {
  const message = error instanceof GraphQLError ? error.message : 'The request could not be read.'
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } })
}
